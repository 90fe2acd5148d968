"""The durable records of a job, read and written; the store is the truth, Redis only the news."""

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mpi_stage.errors import DeviceLostError
from pipeline import layout
from pipeline.channels.keys import choices_key
from pipeline.errors import (
    JobNotFoundError,
    JobStateError,
    ObjectExistsError,
    ObjectNotFoundError,
    ServiceError,
)
from pipeline.models import (
    MANIFEST_VERSION,
    AttemptOutcome,
    AttemptRecord,
    Cancellation,
    Ending,
    Failure,
    Manifest,
    Result,
    RetryRecord,
    now,
)
from pipeline.ports import ObjectStore
from pipeline.records.uploads import begun

_Record = TypeVar("_Record", bound=BaseModel)


def not_there(job_id: str) -> JobNotFoundError:
    """Return what is said of a job that nobody has, and to whom another's is none of their business."""
    return JobNotFoundError(f"there is no job {job_id}; `halorow jobs` lists those there are")


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

    @property
    def ended_silently(self) -> bool:
        """Whether the newest attempt ended without a word, or its lease ran out while it was at work."""
        return self.base < self.highest and self.highest not in self.outcomes

    def deaths(self, before: int) -> int:
        """Return how many of them died: without a word, or told by their worker."""
        return sum(1 for one in self.counted(before) if self._died(one.attempt))

    def lost(self, before: int) -> int:
        """Return how many of them died, or lost the GPU that they were on."""
        return sum(1 for one in self.counted(before) if self._died(one.attempt) or self._lost(one.attempt))

    def _lost(self, attempt: int) -> bool:
        outcome = self.outcomes.get(attempt)
        return outcome is not None and outcome.kind == DeviceLostError.__name__

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


def _unreadable(kind: str, key: str, data: bytes, error: ValidationError) -> str:
    """Say why a record cannot be read: mostly because a newer release has written it."""
    with suppress(ValueError, AttributeError):
        version = json.loads(data).get("version")
        if isinstance(version, int) and version > MANIFEST_VERSION:
            return (
                f"{key} is of version {version}, and this halorow reads up to version {MANIFEST_VERSION}: "
                "a newer release has written it. Upgrade this machine too."
            )
    return f"{key} is not a {kind} of version {MANIFEST_VERSION}: {error}"


@dataclass(frozen=True)
class Standing:
    """Whether an attempt may go on: the newest attempt's number, and whether the job is to stop."""

    newest: int
    cancelled: bool


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
            raise ServiceError(_unreadable(model.__name__, key, data, error)) from error

    def _write(self, key: str, record: BaseModel, *, create_only: bool = True, durable: bool = True) -> None:
        data = record.model_dump_json().encode()
        self.store.put_bytes(key, data, create_only=create_only, durable=durable)

    def manifest(self, job_id: str) -> Manifest:
        """Return a job's manifest. Raises JobNotFoundError."""
        if not layout.is_job_id(job_id):
            raise JobNotFoundError(f"{job_id!r} is not the id of a job; `halorow jobs` lists them")
        found = self._read(Manifest, layout.manifest_key(job_id))
        if found is None:
            raise not_there(job_id)
        return found

    def owner(self, job_id: str) -> str:
        """Return whose job it is, or whose upload. Raises JobNotFoundError."""
        try:
            return self.manifest(job_id).user
        except JobNotFoundError:
            upload = begun(self.store, job_id)
            if upload is None:
                raise
            return upload.user

    def accept(self, manifest: Manifest) -> None:
        """Write the marker of an unfinished job, then its manifest: the job is accepted on return.

        Raises ObjectExistsError where the id is taken.
        """
        self.mark_open(manifest)
        self._write(layout.manifest_key(manifest.id), manifest)

    def mark_open(self, manifest: Manifest) -> None:
        """Write the marker of a job that is not finished."""
        self.store.put_bytes(layout.open_key(manifest.id), b"")

    def mark_to_tell(self, manifest: Manifest) -> None:
        """Mark a job whose end is to be passed on: it has a webhook, or its user has chosen to be told."""
        if manifest.webhook or self.store.stat(choices_key(manifest.user)) is not None:
            self.store.put_bytes(layout.outbox_key(manifest.id), b"")

    def is_open(self, job_id: str) -> bool:
        """Whether the job counts as unfinished: nobody has settled it yet."""
        return self.store.stat(layout.open_key(job_id)) is not None

    def close(self, job_id: str) -> None:
        """Remove the marker of a job that is finished; one that comes back settles it once more."""
        self.store.delete(layout.open_key(job_id), durable=False)

    def result(self, job_id: str) -> Result | None:
        """Return the result, None while there is none."""
        return self._read(Result, layout.result_key(job_id))

    def failure(self, job_id: str) -> Failure | None:
        """Return why the job failed, None if it has not."""
        return self._read(Failure, layout.failed_key(job_id))

    def keys(self, job_id: str) -> list[str]:
        """Return the keys of all that there is of a job, in order, by one listing."""
        return [info.key for info in self.store.list(layout.job_prefix(job_id))]

    def ending(self, job_id: str, among: Collection[str] | None = None) -> Ending | None:
        """Return how the job ended, None if it has not; a result counts first, a failure last.

        ``among`` are the job's :meth:`keys` where they are known: only what is there is read.
        """
        kinds: tuple[tuple[str, type[Ending]], ...] = (
            (layout.result_key(job_id), Result),
            (layout.cancelled_key(job_id), Cancellation),
            (layout.failed_key(job_id), Failure),
        )
        for key, kind in kinds:
            found = self._read(kind, key) if among is None or key in among else None
            if found is not None:
                return found
        return None

    def standing(self, job_id: str) -> Standing:
        """Return what may keep an attempt from its commit, by one listing."""
        keys = self.keys(job_id)
        numbers = (layout.attempt_of(key) or 0 for key in keys)
        return Standing(max(numbers, default=0), layout.cancelled_key(job_id) in keys)

    def history(self, job_id: str, among: Collection[str] | None = None) -> History:
        """Return the attempts so far, how they ended, and what a retry has forgiven.

        ``among`` are the job's :meth:`keys` where they are known.
        """
        keys = self.keys(job_id) if among is None else among
        numbers = sorted(number for key in keys if (number := layout.attempt_of(key)) is not None)
        if not numbers:
            return History()
        outcomes = {
            number: outcome
            for number in numbers
            if (key := layout.outcome_key(job_id, number)) in keys
            and (outcome := self._read(AttemptOutcome, key)) is not None
        }
        attempts = tuple(self._attempt(job_id, number) for number in numbers)
        retries = [key for key in keys if key.startswith(layout.retries_prefix(job_id))]
        retry = self._read(RetryRecord, max(retries)) if retries else None
        return History(attempts, outcomes, retry.after_attempt if retry is not None else 0)

    def retries(self, job_id: str, among: Collection[str]) -> list[RetryRecord]:
        """Return who asked for another round and when; ``among`` are the job's :meth:`keys`."""
        asked = [key for key in among if key.startswith(layout.retries_prefix(job_id))]
        found = [self._read(RetryRecord, key) for key in asked]
        return [one for one in found if one is not None]

    def _attempt(self, job_id: str, number: int) -> AttemptRecord:
        """Return the record of an attempt; a power cut may have left its name, and nothing to be read."""
        key = layout.attempt_key(job_id, number)
        with suppress(ServiceError):
            whole = self._read(AttemptRecord, key)
            if whole is not None:
                return whole
        known = self.store.stat(key)
        started_at = known.updated_at if known is not None else now()
        return AttemptRecord(job_id=job_id, attempt=number, worker="unknown", started_at=started_at)

    def start_attempt(self, job_id: str, worker: str, after: int) -> AttemptRecord:
        """Take the first free attempt number above ``after``; it is the fence of whoever took it.

        The record is for others who are at work now: after a power cut nobody is, so nobody waits
        until it is on the disk.
        """
        number = after
        while True:
            number += 1
            record = AttemptRecord(job_id=job_id, attempt=number, worker=worker)
            try:
                self._write(layout.attempt_key(job_id, number), record, durable=False)
            except ObjectExistsError:
                continue
            return record

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
        job is either still ended, or open and found by reconciliation. Raises JobStateError for one
        that is being removed.
        """
        after = self.history(manifest.id).highest
        self.mark_open(manifest)
        if self.store.stat(layout.removal_key(manifest.id)) is not None:
            self.close(manifest.id)
            raise JobStateError(f"job {manifest.id} is being removed; submit it again")
        record = RetryRecord(job_id=manifest.id, after_attempt=after)
        self._write(layout.retry_key(manifest.id, after), record, create_only=False)
        self.store.delete(layout.failed_key(manifest.id))
        self.store.delete(layout.cancelled_key(manifest.id))
        self.mark_open(manifest)  # a stale holder may have removed the marker; from now on it puts it back
        return after
