"""The side of a client that says how jobs and the cluster are, and follows them."""

import time
from collections.abc import Iterator
from contextlib import suppress

from pipeline.client_sides.base import Side
from pipeline.errors import QueueUnavailableError
from pipeline.models import ClusterStatus, Event, Failure, JobStatus, Manifest, Notice
from pipeline.ports import Subscription
from pipeline.records import statuses
from pipeline.records.timeline import Turn, timeline

LOOK_EVERY_S = 2.0
"""A watcher looks at the status itself so often: events are lost while Redis restarts."""


class Following(Side):
    """Says what is known of jobs, and what happens to them."""

    def jobs(self, *, user: str | None = None, limit: int = 100) -> list[JobStatus]:
        """Return the newest jobs first. Raises QueueUnavailableError."""
        return self._parts.board.list(user=self._gate.narrowed(user), limit=limit)

    def status(self, job_id: str) -> JobStatus:
        """Return a job's status, from the store where Redis does not know it. Raises JobNotFoundError."""
        with suppress(QueueUnavailableError):
            known = self._parts.board.get(job_id)
            if known is not None:
                self._gate.check(job_id, known.user)
                return known
        manifest = self._gate.manifest(job_id)
        ending = self._parts.records.ending(job_id)
        if ending is not None:
            return statuses.ended(manifest, ending)
        return statuses.queued(manifest, self._parts.records.history(job_id).highest)

    def cluster(self) -> ClusterStatus | None:
        """Return how the cluster is, None where no scheduler has said so lately.

        Raises QueueUnavailableError.
        """
        return self._parts.board.cluster()

    def manifest(self, job_id: str) -> Manifest:
        """Return what was asked for. Raises JobNotFoundError."""
        return self._gate.manifest(job_id)

    def failure(self, job_id: str) -> Failure | None:
        """Return why a job failed, with the evidence; None if it has not. Raises JobNotFoundError."""
        self._gate.pass_by(job_id)
        return self._parts.records.failure(job_id)

    def timeline(self, job_id: str) -> list[Turn]:
        """Return what has happened to a job, the oldest first. Raises JobNotFoundError, StoreError."""
        self._gate.pass_by(job_id)
        return timeline(self._parts.records, job_id)

    def watch(self, job_id: str, timeout_s: float | None = None) -> Iterator[Event]:
        """Yield the job's present status as an event, then every event up to its final one.

        Ends without a final event after ``timeout_s`` seconds. Raises JobNotFoundError.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._gate.pass_by(job_id)
        subscription = self._parts.bus.subscribe(job_id)
        try:
            last = self.status(job_id)
            yield statuses.event_of(last)
            while not last.state.is_final:
                wait_s = LOOK_EVERY_S if deadline is None else min(LOOK_EVERY_S, deadline - time.monotonic())
                if wait_s <= 0:
                    return
                event = subscription.next(wait_s)
                if event is None:
                    status = self.status(job_id)
                    if status.updated_at == last.updated_at and status.state is last.state:
                        continue
                    event = statuses.event_of(status)
                last = event.status
                yield event
        finally:
            subscription.close()

    def wait(self, job_id: str, timeout_s: float | None = None) -> JobStatus:
        """Return the job's status at its end, or after ``timeout_s`` seconds. Raises JobNotFoundError."""
        for _ in self.watch(job_id, timeout_s):
            pass
        return self.status(job_id)

    def events(self) -> Subscription:
        """Listen to the events of all jobs that may be seen, until it is closed."""
        return self._gate.ear(self._parts.bus.subscribe())

    def endings(self) -> Subscription:
        """Listen to how all jobs that may be seen end, until it is closed; a batch needs no more."""
        return self._gate.ear(self._parts.bus.subscribe_endings())

    def notices(self, user: str, after: str | None = None) -> list[Notice]:
        """Return what the notifier has to tell a user since the notice ``after``; a person their own."""
        return self._parts.notices.read(self._gate.narrowed(user) or user, after)
