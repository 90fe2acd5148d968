"""What was asked for: the manifest of a job, and where a job is in its life."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from pipeline.models.base import Model, now
from pipeline.models.objects import ObjectRef
from pipeline.models.queue import Lane, Share

MANIFEST_VERSION = 1


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DEAD = "dead"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the job by itself."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.DEAD})
TROUBLE = frozenset({JobState.FAILED, JobState.DEAD})
"""How jobs end that nobody wanted to end without a result."""


class Manifest(Model):
    """``jobs/<id>/job.json``: the durable description of a job; never changed once written.

    ``pixels`` are those that the input declares, or about as many, as counted against quotas.
    """

    version: int = Field(default=MANIFEST_VERSION, ge=1, le=MANIFEST_VERSION)
    id: str
    created_at: datetime = Field(default_factory=now)
    user: str = "local"
    batch: str | None = None
    input: ObjectRef
    input_name: str
    pixels: int = 1
    steps: list[dict[str, Any]]
    output_key: str
    output_name: str
    lane: Lane
    priority: int = Field(default=0, ge=-10, le=10)
    ranks: int | None = None
    device: str = "auto"
    memory_bytes: int
    block_rows: int | None = None
    page: int = 0
    plane: str | None = None
    level: int = 0
    compression: str | None = None
    quality: int | None = None
    tile: int | None = None
    format: str | None = None
    digest: bool = True
    webhook: str | None = None
    idempotency_key: str | None = None

    @property
    def share(self) -> Share:
        """What the job takes of its user's share."""
        return Share(user=self.user, pixels=self.pixels)
