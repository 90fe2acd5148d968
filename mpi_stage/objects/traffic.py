"""What a rank has moved from and to buckets."""

import threading
from dataclasses import dataclass, field


@dataclass
class ObjectTraffic:
    """Counts of one request to the stage, added up by any number of threads."""

    fetched_bytes: int = 0
    uploaded_bytes: int = 0
    requests: int = 0
    retries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, *, fetched: int = 0, uploaded: int = 0, requests: int = 0, retries: int = 0) -> None:
        """Count some more."""
        with self._lock:
            self.fetched_bytes += fetched
            self.uploaded_bytes += uploaded
            self.requests += requests
            self.retries += retries
