"""How a job is now, and what is told of it."""

from datetime import datetime

from pydantic import Field

from pipeline.models.base import Model, now
from pipeline.models.cluster import Load
from pipeline.models.jobs import JobState
from pipeline.models.queue import Lane, Share


class RankProgress(Model):
    """How far one rank is; ``bands_done`` are ranges of the bands that it has kept."""

    rank: int
    rows_done: int
    rows_total: int
    bands_done: list[list[int]] = Field(default_factory=list)


class JobStatus(Model):
    """What Redis knows of a job now; can be rebuilt from the store.

    ``bands`` of its output are kept as they are made, 0 where they are not.
    """

    id: str
    user: str = "local"
    batch: str | None = None
    state: JobState
    lane: Lane
    priority: int = 0
    attempt: int = 0
    input_name: str
    pixels: int = 1
    pipeline: str
    load: Load = Load()
    created_at: datetime
    updated_at: datetime = Field(default_factory=now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rows_done: int = 0
    rows_total: int = 0
    rows_per_s: float = 0.0
    ranks: list[RankProgress] = Field(default_factory=list)
    bands: int = 0
    worker: str | None = None
    error: str | None = None
    error_kind: str | None = None
    exit_code: int | None = None
    output_key: str | None = None

    @property
    def share(self) -> Share:
        """What the job takes of its user's share."""
        return Share(user=self.user, pixels=self.pixels)

    @property
    def fraction_done(self) -> float:
        """Work done, from 0 to 1."""
        if self.state is JobState.SUCCEEDED:
            return 1.0
        return min(1.0, self.rows_done / self.rows_total) if self.rows_total else 0.0

    @property
    def pixels_per_s(self) -> float:
        """Pixels of the input that go through the whole pipeline in a second, 0 while unknown."""
        return self.pixels * self.rows_per_s / self.rows_total if self.rows_total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds to the end, None while unknown."""
        if self.state.is_final or self.rows_per_s <= 0:
            return None
        return (self.rows_total - self.rows_done) / self.rows_per_s


class Event(Model):
    """One transition or progress report of a job, as published."""

    job_id: str
    type: str
    at: datetime = Field(default_factory=now)
    status: JobStatus
