"""The durable records of a job, read and written; the store is the truth, Redis only the news."""

from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline import layout
from pipeline.errors import JobNotFoundError, ObjectExistsError, ObjectNotFoundError, ServiceError
from pipeline.models import (
    AttemptOutcome,
    AttemptRecord,
    Cancellation,
    Failure,
    Manifest,
    Result,
    RetryRecord,
)
from pipeline.ports import ObjectStore

_Record = TypeVar("_Record", bound=BaseModel)
Ending = Result | Cancellation | Failure


@dataclass(frozen=True)
class History:
    """The attempts at a job so far.

    ``base`` is the number of the last attempt before the latest retry: what lies before it no
    longer counts against the job.
    """

    attempts: tuple[AttemptRecord, ...] = ()
    outcomes: dict[int, AttemptOutcome] = field(default_factory=dict)
    base: int = 0

    @property
    def highest(self) -> int:
        """The number of the newest attempt, 0 before the first."""
        return max((one.attempt for one in self.attempts), default=0)

    def counted(self, before: int) -> list[AttemptRecord]:
        """Return the attempts older than ``before`` that count against the job."""
        return [
            one for one in self.attempts if self.base < one.attempt < before and self._counts(one.attempt)
        ]

    def _counts(self, attempt: int) -> bool:
        outcome = self.outcomes.get(attempt)
        return outcome is None or outcome.counts

    def deaths(self, before: int) -> int:
        """Return how many of them died: without a word, or told by their worker."""
        return sum(1 for one in self.counted(before) if self._died(one.attempt))

    def _died(self, attempt: int) -> bool:
        outcome = self.outcomes.get(attempt)
        return outcome is None or outcome.died

    def evidence(self, before: int) -> list[str]:
        """Return a line for each attempt that counts: who, when, and how it ended."""
        return [self._line(one) for one in self.counted(before)]

    def _line(self, record: AttemptRecord) -> str:
        outcome = self.outcomes.get(record.attempt)
        end = f"{outcome.kind}: {outcome.message}" if outcome else "its worker died without a word"
        return f"attempt {record.attempt} by {record.worker} at {record.started_at:%F %T}: {end}"


class JobRecords:
    """Reads and writes the records that ``pipeline.layout`` names; every method may raise StoreError."""

    def __init__(self, store: ObjectStore) -> None:
        """Work on the records in ``store``."""
        self.store = store

    def _read(self, model: type[_Record], key: str) -> _Record | None:
        try:
            data = self.store.get_bytes(key)
        except ObjectNotFoundError:
            return None
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            raise ServiceError(f"{key} is not a {model.__name__} of this version: {error}") from error

    def _write(self, key: str, record: BaseModel, *, create_only: bool = True) -> None:
        self.store.put_bytes(key, record.model_dump_json().encode(), create_only=create_only)

    def manifest(self, job_id: str) -> Manifest:
        """Return a job's manifest. Raises JobNotFoundError."""
        if not layout.is_job_id(job_id):
            raise JobNotFoundError(f"{job_id!r} is not the id of a job; `halorow jobs` lists them")
        found = self._read(Manifest, layout.manifest_key(job_id))
        if found is None:
            raise JobNotFoundError(f"there is no job {job_id}; `halorow jobs` lists those there are")
        return found

    def accept(self, manifest: Manifest) -> None:
        """Write the marker of an unfinished job, then its manifest: the job is accepted on return.

        Raises ObjectExistsError where the id is taken.
        """
        self.mark_open(manifest)
        self._write(layout.manifest_key(manifest.id), manifest)

    def mark_open(self, manifest: Manifest) -> None:
        """Write the markers of a job that is not finished."""
        self.store.put_bytes(layout.open_key(manifest.id), b"")
        if manifest.webhook:
            self.store.put_bytes(layout.outbox_key(manifest.id), b"")

    def close(self, job_id: str) -> None:
        """Remove the marker of a job that is finished."""
        self.store.delete(layout.open_key(job_id))

    def result(self, job_id: str) -> Result | None:
        """Return the result, None while there is none."""
        return self._read(Result, layout.result_key(job_id))

    def failure(self, job_id: str) -> Failure | None:
        """Return why the job failed, None if it has not."""
        return self._read(Failure, layout.failed_key(job_id))

    def cancelled(self, job_id: str) -> bool:
        """Whether the job is to stop, or has stopped."""
        return self.store.stat(layout.cancelled_key(job_id)) is not None

    def ending(self, job_id: str) -> Ending | None:
        """Return how the job ended, None if it has not; a result counts first, a failure last."""
        return (
            self.result(job_id)
            or self._read(Cancellation, layout.cancelled_key(job_id))
            or self.failure(job_id)
        )

    def history(self, job_id: str) -> History:
        """Return the attempts so far, how they ended, and what a retry has forgiven."""
        attempts: list[AttemptRecord] = []
        outcomes: dict[int, AttemptOutcome] = {}
        for info in self.store.list(layout.attempts_prefix(job_id)):
            if info.key.endswith(".outcome.json"):
                outcome = self._read(AttemptOutcome, info.key)
                if outcome is not None:
                    outcomes[outcome.attempt] = outcome
            else:
                record = self._read(AttemptRecord, info.key)
                if record is not None:
                    attempts.append(record)
        return History(tuple(attempts), outcomes, self._base(job_id) if attempts else 0)

    def _base(self, job_id: str) -> int:
        last = None
        for last in self.store.list(layout.retries_prefix(job_id)):  # noqa: B007  # only the last is wanted
            pass
        record = self._read(RetryRecord, last.key) if last is not None else None
        return record.after_attempt if record is not None else 0

    def start_attempt(self, job_id: str, worker: str, after: int) -> AttemptRecord:
        """Take the first free attempt number above ``after``; it is the fence of whoever took it."""
        number = after
        while True:
            number += 1
            record = AttemptRecord(job_id=job_id, attempt=number, worker=worker)
            try:
                self._write(layout.attempt_key(job_id, number), record)
            except ObjectExistsError:
                continue
            return record

    def superseded(self, job_id: str, attempt: int) -> bool:
        """Whether a newer attempt than ``attempt`` has been taken up."""
        return self.store.stat(layout.attempt_key(job_id, attempt + 1)) is not None

    def end_attempt(self, outcome: AttemptOutcome) -> None:
        """Note how an attempt ended without a result; the first note stays."""
        try:
            self._write(layout.outcome_key(outcome.job_id, outcome.attempt), outcome)
        except ObjectExistsError:
            return

    def commit(self, result: Result) -> None:
        """Make a result the job's one result. Raises ObjectExistsError where there is one already."""
        self._write(layout.result_key(result.job_id), result)

    def fail(self, failure: Failure) -> None:
        """Write down that the job ended without a result; the first failure stays."""
        try:
            self._write(layout.failed_key(failure.job_id), failure)
        except ObjectExistsError:
            return

    def cancel(self, job_id: str) -> None:
        """Write down that the job is to stop."""
        self._write(layout.cancelled_key(job_id), Cancellation(job_id=job_id), create_only=False)

    def reopen(self, manifest: Manifest) -> int:
        """Take back a failure or cancellation and forgive the attempts so far; return their number.

        The marker comes first and the old endings go last: whatever is interrupted in between, the
        job is either still ended, or open and found by reconciliation.
        """
        after = self.history(manifest.id).highest
        self.mark_open(manifest)
        record = RetryRecord(job_id=manifest.id, after_attempt=after)
        self._write(layout.retry_key(manifest.id, after), record, create_only=False)
        self.store.delete(layout.failed_key(manifest.id))
        self.store.delete(layout.cancelled_key(manifest.id))
        return after
