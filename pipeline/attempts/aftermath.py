"""What becomes of a job whose attempt has ended without a result."""

from contextlib import suppress

from mpi_stage.errors import NodeLostError, StageError, StorageError, WorldError
from pipeline.attempts.attempt import Work
from pipeline.attempts.pulse import Stop
from pipeline.decisions.retry import Verdict, backoff_s, decide, jitter_of
from pipeline.errors import (
    HalorowError,
    KeyRefusedError,
    ObjectNotFoundError,
    OutputTakenError,
    QueueUnavailableError,
    RunCancelledError,
    StaleFenceError,
    StoreError,
)
from pipeline.models import AttemptOutcome, AttemptRecord, Claim, Failure, JobState, Lane, Load, Manifest
from pipeline.parts import Parts
from pipeline.records import statuses
from pipeline.records.jobs import History
from pipeline.records.leftovers import clear_bands
from pipeline.records.settle import settle

MOVED = "Moved"
_AWAY = (StoreError, QueueUnavailableError, StorageError)
_PUBLIC_FAULT = "an unexpected fault of the program; the operator finds it in the log"


class Aftermath:
    """Carries out what ``pipeline.decisions.retry`` decides."""

    def __init__(self, parts: Parts) -> None:
        """Work on ``parts``."""
        self._parts = parts

    def bury(self, claim: Claim, manifest: Manifest, history: History) -> bool:
        """Make a dead letter of a job that has killed too many workers, before it kills another."""
        following = history.highest + 1
        deaths = history.deaths(following)
        if not deaths:
            return False
        decision = decide(len(history.counted(following)), None, deaths, self._parts.retry)
        if decision.verdict is Verdict.RETRY:
            return False
        message = f"given up: {decision.reason}. The input may be what kills them"
        self._end(
            claim,
            manifest,
            Failure(
                job_id=manifest.id,
                attempt=history.highest,
                kind=WorldError.__name__,
                message=message,
                exit_code=WorldError.exit_code,
                retryable=False,
                dead=True,
                evidence=history.evidence(following),
            ),
        )
        return True

    def moved(self, work: Work, lane: Lane, ranks: int, load: Load) -> None:
        """Put a job into another lane, for ``ranks`` ranks; nothing of it has been computed yet.

        How much work it is, is known by now.
        """
        queue, manifest, record = self._parts.queue, work.manifest, work.record
        outcome = AttemptOutcome(
            job_id=manifest.id,
            attempt=record.attempt,
            kind=MOVED,
            message=f"the job belongs to the lane {lane.value}",
            counts=False,
            ranks=ranks,
        )
        self._parts.records.end_attempt(outcome)
        queue.enqueue(lane, manifest.id, manifest.priority, share=manifest.share)
        self._parts.ledger.add(lane, manifest.id, load)
        status = statuses.queued(manifest, record.attempt).model_copy(update={"lane": lane, "load": load})
        self._parts.news.mention(status)
        queue.release(work.claim)
        self._parts.ledger.remove(work.claim.lane, manifest.id)

    def put_back(self, claim: Claim) -> None:
        """Let go of a job that has not been begun: ended if it was cancelled, else for others to take."""
        records = self._parts.records
        ending = records.ending(claim.job_id)
        if ending is None:
            self._parts.queue.requeue(claim)
        else:
            settle(records, self._parts.news, records.manifest(claim.job_id), ending, claim=claim)

    def failed(self, work: Work, error: Exception) -> None:
        """Note how an attempt ended and decide what is next. What cannot be noted is left to the lease."""
        records, manifest, record = self._parts.records, work.manifest, work.record
        outcome = _outcome(record, work.pulse.reason, error)
        with suppress(QueueUnavailableError, StoreError):
            records.end_attempt(outcome)
            newest = records.standing(manifest.id).newest
            if isinstance(error, StaleFenceError) or newest > record.attempt:
                self._leave_nothing(record)
                return
            ending = records.ending(manifest.id)
            if ending is not None:
                settle(records, self._parts.news, manifest, ending, claim=work.claim)
                return
            self._decide(work, outcome)

    def _leave_nothing(self, record: AttemptRecord) -> None:
        """Remove the bands of a stale attempt, unless those of the job may still be of use to its rival."""
        if self._parts.records.ending(record.job_id) is not None:
            clear_bands(self._parts.records.store, record.job_id, attempt=record.attempt)

    def _decide(self, work: Work, outcome: AttemptOutcome) -> None:
        history, record = work.history, work.record
        tried = len(history.counted(record.attempt)) + 1
        deaths = history.deaths(record.attempt) + int(outcome.died)
        jitter = jitter_of(record.job_id, record.attempt)
        decision = decide(tried, outcome.retryable, deaths, self._parts.retry, jitter=jitter)
        if not outcome.counts:
            self._again(work, outcome, backoff_s(record.attempt - history.base, self._parts.retry, jitter))
            return
        if decision.verdict is Verdict.RETRY:
            self._again(work, outcome, decision.delay_s)
            return
        dead = decision.verdict is Verdict.DEAD_LETTER
        ended = f"attempt {record.attempt} by {record.worker} at {record.started_at:%F %T}: {outcome.message}"
        failure = Failure(
            job_id=record.job_id,
            attempt=record.attempt,
            kind=outcome.kind,
            message=f"{outcome.message} (given up: {decision.reason})" if dead else outcome.message,
            exit_code=outcome.exit_code,
            retryable=outcome.retryable,
            dead=dead,
            evidence=[*history.evidence(record.attempt), ended],
        )
        self._end(work.claim, work.manifest, failure)

    def _again(self, work: Work, outcome: AttemptOutcome, delay_s: float) -> None:
        """Give the job back: to wait if something failed, at once if the worker merely stops."""
        failed = outcome.retryable
        status = statuses.queued(work.manifest, work.record.attempt).model_copy(
            update={
                "state": JobState.RETRYING if failed else JobState.QUEUED,
                "lane": work.claim.lane,
                "error": outcome.message if failed else None,
                "error_kind": outcome.kind if failed else None,
            }
        )
        self._parts.news.mention(status)
        self._parts.queue.requeue(work.claim, delay_s=delay_s if failed else 0.0)

    def _end(self, claim: Claim, manifest: Manifest, failure: Failure) -> None:
        """Write down that a job has failed, unless another attempt has begun meanwhile."""
        if self._parts.records.standing(manifest.id).newest > failure.attempt:
            return
        self._parts.records.fail(failure)
        settle(self._parts.records, self._parts.news, manifest, failure, claim=claim)


def _outcome(record: AttemptRecord, stop: Stop | None, error: Exception) -> AttemptOutcome:
    """Return the note on an attempt: what happened, whether it may pass, and whose fault it was."""
    base = AttemptOutcome(
        job_id=record.job_id, attempt=record.attempt, kind=type(error).__name__, message=str(error)
    )
    if isinstance(error, RunCancelledError | StaleFenceError):
        reason = stop.value if stop is not None else "stale"
        return base.model_copy(update={"message": f"the attempt was stopped: {reason}", "counts": False})
    if isinstance(error, _AWAY) and not isinstance(error, ObjectNotFoundError | KeyRefusedError):
        away = {"retryable": True, "counts": not error.retryable}
        return base.model_copy(update={"message": error.public_message, **away})
    lost = isinstance(error, NodeLostError)  # machines are taken away as often as it pleases their owner
    blameless = lost or isinstance(error, OutputTakenError)
    if isinstance(error, StageError | HalorowError):
        return base.model_copy(
            update={
                "message": error.public_message,
                "retryable": error.retryable,
                "exit_code": error.exit_code,
                "died": isinstance(error, WorldError) and not lost,
                "counts": not blameless,
            }
        )
    return base.model_copy(update={"message": f"{_PUBLIC_FAULT} ({type(error).__name__})", "retryable": True})
