"""The side of a client that stops jobs, starts them again, and removes them."""

from contextlib import suppress

from pipeline.client_sides.following import Following
from pipeline.errors import JobStateError, QueueUnavailableError
from pipeline.keeping.lending import lend
from pipeline.keeping.removal import keep_or_cancel, remove_job
from pipeline.models import JobState, JobStatus, Result, now
from pipeline.records import statuses
from pipeline.records.settle import settle


class Steering(Following):
    """Changes what becomes of jobs."""

    def cancel(self, job_id: str) -> JobStatus:
        """Stop a job: one that waits at once, one that is worked on within two seconds.

        A result that is committed before the ranks stop still counts. Raises JobNotFoundError,
        JobStateError if the job has ended.
        """
        manifest = self._gate.manifest(job_id)
        before = self.status(job_id)
        ending = self._parts.records.ending(job_id)
        if ending is not None and before.state is not JobState.CANCELLED:
            ended = statuses.ended(manifest, ending)
            raise JobStateError(f"job {job_id} has {ended.state.value} already; there is nothing to cancel")
        self._parts.records.cancel(job_id)
        with suppress(QueueUnavailableError):
            # A worker that does not hear of it from Redis finds it in the store a little later.
            self._parts.board.request_cancel(job_id)
        if before.state is JobState.RUNNING:
            return before
        cancellation = self._parts.records.ending(job_id)
        if cancellation is None:
            return self.status(job_id)
        try:
            return settle(self._parts.records, self._parts.news, manifest, cancellation)
        except QueueUnavailableError:
            return statuses.ended(manifest, cancellation, before)

    def retry(self, job_id: str) -> JobStatus:
        """Give a job that failed, died or was cancelled a new round of attempts.

        Raises JobNotFoundError, JobStateError; ObjectNotFoundError where its input is being removed.
        """
        manifest = self._gate.manifest(job_id)
        ending = self._parts.records.ending(job_id)
        if ending is None or isinstance(ending, Result):
            state = "has succeeded" if ending else "has not ended"
            raise JobStateError(f"job {job_id} {state}; only failed, dead and cancelled jobs are retried")
        lend(self._parts, manifest.input, now())
        attempt = self._parts.records.reopen(manifest)
        keep_or_cancel(self._parts, manifest)
        status = statuses.queued(manifest, attempt)
        with suppress(QueueUnavailableError):
            self._parts.board.clear_cancel(job_id)
            self._parts.news.again(status)
        return status

    def delete(self, job_id: str) -> None:
        """Remove what the service keeps of a job that has ended: input, result and records.

        What its user has named places for stays. Raises JobNotFoundError, JobStateError where it has not
        ended or an unfinished job needs it, StoreError, QueueUnavailableError.
        """
        remove_job(self._parts, self._gate.manifest(job_id))
