"""What becomes of a job: its attempts, and how it ends."""

from datetime import datetime
from typing import Any

from pydantic import Field

from pipeline.models.base import Model, now
from pipeline.models.jobs import MANIFEST_VERSION
from pipeline.models.objects import ObjectRef


class AttemptRecord(Model):
    """``jobs/<id>/attempt-<n>.json``: who took the job up; its number is the fence."""

    job_id: str
    attempt: int
    worker: str
    started_at: datetime = Field(default_factory=now)


class AttemptOutcome(Model):
    """``jobs/<id>/attempt-<n>.outcome.json``: how an attempt ended without a result.

    An attempt that has neither an outcome nor the job's result, and is not the last one, died
    with its worker. ``died`` says that the worker lived to tell of its stage's death; ``counts``
    is off where the job was not to blame (the store was away, the service stopped). ``ranks`` is
    what a job that was moved to the gang lane is to have.
    """

    job_id: str
    attempt: int
    kind: str
    message: str
    retryable: bool = False
    exit_code: int = 1
    died: bool = False
    counts: bool = True
    ranks: int | None = None
    ended_at: datetime = Field(default_factory=now)


class Cancellation(Model):
    """``jobs/<id>/cancelled.json``: the request to stop; removed by a retry."""

    job_id: str
    cancelled_at: datetime = Field(default_factory=now)


class RetryRecord(Model):
    """``jobs/<id>/retry-<n>.json``: somebody asked for another round after attempt ``n``."""

    job_id: str
    after_attempt: int
    asked_at: datetime = Field(default_factory=now)


class Failure(Model):
    """``jobs/<id>/failed.json``: why a job ended without a result; removed by a retry."""

    job_id: str
    attempt: int
    kind: str
    message: str
    exit_code: int
    retryable: bool
    dead: bool = False
    evidence: list[str] = Field(default_factory=list)
    failed_at: datetime = Field(default_factory=now)


class Result(Model):
    """``jobs/<id>/result.json``: written once, create-only; the one visible result.

    ``pixels_sha256`` is empty where the job was to do without.
    """

    version: int = Field(default=MANIFEST_VERSION, ge=1, le=MANIFEST_VERSION)
    job_id: str
    attempt: int
    output: ObjectRef
    output_name: str
    pixels_sha256: str
    report: dict[str, Any]
    finished_at: datetime = Field(default_factory=now)


Ending = Result | Cancellation | Failure
"""How a job has ended, as its records have it."""


def ended_at(ending: Ending) -> datetime:
    """Return when a job ended."""
    if isinstance(ending, Result):
        return ending.finished_at
    return ending.failed_at if isinstance(ending, Failure) else ending.cancelled_at
