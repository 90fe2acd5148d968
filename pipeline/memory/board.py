"""The status board in this process's memory: for tests of what stands on it."""

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from pipeline.models import (
    ClusterStatus,
    JobState,
    JobStatus,
)


@dataclass
class MemoryBoard:
    """Implements ``pipeline.ports.StatusBoard``; safe between threads of this process."""

    _statuses: dict[str, JobStatus] = field(default_factory=dict)
    _cancelled: set[str] = field(default_factory=set)
    _whole: bool = False
    _cluster: ClusterStatus | None = None
    _lock: Lock = field(default_factory=Lock)

    def put(self, status: JobStatus) -> None:
        """Write a job's status, unless what is there is newer (see ``RedisStatusBoard.put``)."""
        with self._lock:
            known = self._statuses.get(status.id)
            if known is None or not _outdated(status, known):
                self._statuses[status.id] = status

    def reset(self, status: JobStatus) -> None:
        """Write a job's status whatever is there: for an explicit retry and for rebuilding."""
        with self._lock:
            self._statuses[status.id] = status

    def get(self, job_id: str) -> JobStatus | None:
        """Return a job's status, None where it is not known (any more)."""
        with self._lock:
            return self._statuses.get(job_id)

    def in_trouble(
        self, state: JobState, *, since: datetime | None = None, limit: int = 100
    ) -> list[JobStatus]:
        """Return the jobs that are failed now, or dead as ``state`` says, whose ends came last first."""
        with self._lock:
            bad = [(one.finished_at, one) for one in self._statuses.values() if one.state is state]
        ended = [(at, one) for at, one in bad if at is not None and (since is None or at >= since)]
        return [one for _, one in sorted(ended, key=lambda pair: pair[0], reverse=True)][:limit]

    def list(self, *, user: str | None = None, limit: int = 100) -> list[JobStatus]:
        """Return the newest jobs first, all users' or one user's."""
        with self._lock:
            chosen = [status for status in self._statuses.values() if user in {None, status.user}]
        return sorted(chosen, key=lambda status: status.created_at, reverse=True)[:limit]

    def delete(self, job_id: str) -> None:
        """Forget a job, and any request to stop it."""
        with self._lock:
            self._statuses.pop(job_id, None)
            self._cancelled.discard(job_id)

    def prune(self) -> int:
        """Return 0: nothing expires here."""
        return 0

    def put_cluster(self, status: ClusterStatus) -> None:
        """Write how the cluster is."""
        self._cluster = status

    def cluster(self) -> ClusterStatus | None:
        """Return how the cluster is, None where nobody has said so."""
        return self._cluster

    def is_whole(self) -> bool:
        """Whether nothing has been lost since :meth:`mark_whole`."""
        return self._whole

    def mark_whole(self) -> None:
        """Say that the board holds all it should."""
        self._whole = True

    def request_cancel(self, job_id: str) -> None:
        """Ask whoever works on the job to stop."""
        with self._lock:
            self._cancelled.add(job_id)

    def cancel_requested(self, job_id: str) -> bool:
        """Whether somebody has asked for it."""
        with self._lock:
            return job_id in self._cancelled

    def clear_cancel(self, job_id: str) -> None:
        """Take the request back."""
        with self._lock:
            self._cancelled.discard(job_id)


def _outdated(new: JobStatus, known: JobStatus) -> bool:
    if new.state is JobState.SUCCEEDED:
        return False
    if known.state is JobState.SUCCEEDED or new.attempt < known.attempt:
        return True
    return known.state.is_final and not new.state.is_final and new.attempt == known.attempt
