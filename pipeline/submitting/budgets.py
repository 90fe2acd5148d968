"""What a job may take: the operator's limit for every job, and its user's."""

from mpi_stage.contract import Budget
from pipeline.config import Settings


def job_budget(settings: Settings) -> Budget:
    """Return the budget of a job.

    One job may have no more pixels than its user may have in the queue, whatever was declared when it was
    submitted.
    """
    mine = Budget(pixels=settings.job_pixels, ratio=settings.decoded_ratio, decode_s=settings.decode_s)
    return mine.within(Budget(pixels=settings.user_queued_pixels or None, decode_s=settings.decode_s))
