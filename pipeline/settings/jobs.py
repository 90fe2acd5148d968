"""What a job may take, and when it is tried again."""

from pydantic import BaseModel, ByteSize, Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from pipeline.decisions.quotas import Limits

LEASE_BEATS = 2
"""Renewals that must fit into a lease, so that one may be late."""


class JobSettings(BaseModel):
    """Jobs, their limits and their attempts."""

    user: str = Field("local", min_length=1, max_length=100, description="whose jobs these are")
    memory_bytes: ByteSize = Field(
        ByteSize(1 << 30), ge=64 << 20, description="memory that a rank may use, at least 64 MiB"
    )
    job_pixels: int = Field(
        100_000_000_000, ge=1, description="pixels that a job may read, make on the way or write"
    )
    decoded_ratio: int = Field(
        10_000, ge=1, description="decoded bytes that a job may have for each stored byte of its input"
    )
    decode_s: float = Field(
        5.0, ge=1, le=3600, description="processor time of a decoder beside a second for each megabyte"
    )
    band_bytes: ByteSize | None = Field(
        None,
        ge=1 << 10,
        description="pixels of a band of any output; only large ones have bands if unset",
    )
    stall_s: float = Field(
        300.0, ge=1, le=86_400, description="no progress for so long, and a world counts as hung"
    )
    lease_s: float = Field(15.0, ge=0.1, le=3600, description="how long a silent worker keeps its job")
    heartbeat_s: float = Field(5.0, gt=0, le=1800, description="how often a worker renews its lease")
    reconcile_s: float = Field(
        10.0, gt=0, le=86_400, description="how often manifests and Redis are compared"
    )
    max_attempts: int = Field(5, ge=1, le=100, description="attempts of a job in all")
    max_deaths: int = Field(3, ge=1, le=100, description="workers that a job may kill")
    user_queued_pixels: int = Field(0, ge=0, description="pixels of one user's jobs in the queue; 0: any")
    user_jobs_per_minute: int = Field(
        0, ge=0, le=1_000_000, description="jobs that one user may submit in a minute; 0: any"
    )
    queued_jobs: int = Field(0, ge=0, description="jobs of all users in the queue; 0: any")

    @field_validator("heartbeat_s")
    @classmethod
    def _fits_lease(cls, heartbeat_s: float, info: ValidationInfo) -> float:
        lease_s = info.data.get("lease_s")
        if lease_s is not None and heartbeat_s * LEASE_BEATS > lease_s:
            raise PydanticCustomError(
                "heartbeat", "must be at most half of lease_s ({lease_s} s)", {"lease_s": lease_s}
            )
        return heartbeat_s

    @property
    def limits(self) -> Limits:
        """What is let into the queue."""
        return Limits(self.user_queued_pixels, self.queued_jobs, self.user_jobs_per_minute)
