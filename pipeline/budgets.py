"""What a job may take: the operator's limit for every job, and what its user has left."""

from mpi_stage.contract import Budget
from pipeline.config import Settings


def job_budget(settings: Settings, users: Budget | None = None) -> Budget:
    """Return the budget of a job of a user of whose own budget ``users`` is left, None for no limit."""
    mine = Budget(pixels=settings.job_pixels, ratio=settings.decoded_ratio, decode_s=settings.decode_s)
    return mine.within(users)
