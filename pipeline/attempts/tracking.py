"""How far a job is, added up from what its ranks report."""

import threading
import time
from typing import Any

from pipeline.models import JobStatus, RankProgress, now


class Tracker:
    """Collects the stage's events of one attempt; read by the thread that passes them on.

    The rate is that of the whole attempt so far, which is steadier than that of the last moments.
    """

    def __init__(self) -> None:
        """Start with nothing done."""
        self._lock = threading.Lock()
        self._ranks: dict[int, RankProgress] = {}
        self._started: float | None = None
        self._bands = 0
        self._fresh = False

    def take(self, event: dict[str, Any]) -> None:
        """Take an event of the stage in; all but ``progress`` are ignored."""
        if event.get("event") != "progress":
            return
        rank = RankProgress(
            rank=int(event["rank"]),
            rows_done=int(event["rows_done"]),
            rows_total=int(event["rows_total"]),
            bands_done=event.get("bands_done", []),
        )
        with self._lock:
            if self._started is None:
                self._started = time.monotonic()
            self._ranks[rank.rank] = rank
            self._bands = max(self._bands, int(event.get("bands", 0)))
            self._fresh = True

    def news(self, status: JobStatus) -> JobStatus | None:
        """Return ``status`` brought up to date, None if nothing came in since the last call."""
        with self._lock:
            if not self._fresh:
                return None
        return self.latest(status)

    def latest(self, status: JobStatus) -> JobStatus:
        """Return ``status`` brought up to date."""
        with self._lock:
            self._fresh = False
            ranks = [self._ranks[number] for number in sorted(self._ranks)]
            bands = self._bands
            elapsed_s = time.monotonic() - (self._started or 0.0)
        done = sum(rank.rows_done for rank in ranks)
        rate = done / elapsed_s if elapsed_s > 0 else 0.0
        return status.model_copy(
            update={
                "ranks": ranks,
                "bands": bands,
                "rows_done": done,
                "rows_total": sum(rank.rows_total for rank in ranks),
                "rows_per_s": rate,
                "updated_at": now(),
            }
        )
