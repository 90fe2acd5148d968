"""The notice board in this process's memory: for tests of what stands on it."""

from collections.abc import Sequence
from threading import Lock

from pipeline.decisions.notices import notices_after
from pipeline.models import Notice


class MemoryNoticeBoard:
    """Implements ``pipeline.ports.NoticeBoard``; safe between threads of this process."""

    def __init__(self) -> None:
        """Start with no notices."""
        self._lock = Lock()
        self._notices: list[Notice] = []

    def post(self, notice: Notice) -> bool:
        """Add a notice; False if the job's end (``notice.id``) has been told before."""
        with self._lock:
            if any(known.id == notice.id for known in self._notices):
                return False
            self._notices.append(notice)
            return True

    def post_all(self, notices: Sequence[Notice]) -> None:
        """Add those of the notices whose ends have not been told before."""
        for notice in notices:
            self.post(notice)

    def read(self, user: str, after: str | None) -> list[Notice]:
        """Return the notices after the one with the id ``after``, all if None or no longer known."""
        with self._lock:
            return notices_after([one for one in self._notices if one.user == user], after)
