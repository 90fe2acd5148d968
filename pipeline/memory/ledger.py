"""The ledger in this process's memory: for tests of what stands on it."""

from threading import Lock

from pipeline.models import (
    Backlog,
    Lane,
    Load,
)


class MemoryLedger:
    """Implements ``pipeline.ports.Ledger``; safe between threads of this process."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._lock = Lock()
        self._jobs: dict[Lane, dict[str, Load]] = {lane: {} for lane in Lane}
        self._sums = {lane: Backlog() for lane in Lane}

    def add(self, lane: Lane, job_id: str, load: Load) -> None:
        """Count a job that is in the queue; again with another load instead of the one before."""
        with self._lock:
            self._jobs[lane][job_id] = load

    def remove(self, lane: Lane, job_id: str, spent_s: float = 0.0) -> None:
        """Count a job no longer; with ``spent_s`` core-seconds as done, without as dropped."""
        with self._lock:
            load = self._jobs[lane].pop(job_id, None)
            if load is not None and spent_s > 0:
                sums = self._sums[lane]
                spent = {"done": sums.done + load, "spent_s": sums.spent_s + spent_s}
                self._sums[lane] = sums.model_copy(update=spent)

    def retried(self, lane: Lane) -> None:
        """Count an attempt that failed and is to be tried again."""
        with self._lock:
            sums = self._sums[lane]
            self._sums[lane] = sums.model_copy(update={"retries": sums.retries + 1})

    def backlog(self, lane: Lane) -> Backlog:
        """Return what is counted now."""
        with self._lock:
            return self._sums[lane].model_copy(update={"todo": sum(self._jobs[lane].values(), Load())})
