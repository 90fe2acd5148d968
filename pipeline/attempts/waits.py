"""How long jobs wait for their turn."""

from datetime import datetime

from pipeline.models import JobStatus, Lane
from pipeline.ports import JobQueue, StatusBoard

FRONT_JOBS = 10
"""How many of the jobs of each priority that come next are asked how long they have waited."""


def oldest_wait_s(queue: JobQueue, board: StatusBoard, lane: Lane, at: datetime) -> float:
    """Return how long the job has waited that has waited longest of those that come next; 0 without one.

    What waits behind them waits for its turn, not for the service. Raises QueueUnavailableError.
    """
    waiting = [board.get(job_id) for job_id in queue.next_up(lane, FRONT_JOBS)]
    return max((waited_s(status, at) for status in waiting if status is not None), default=0.0)


def waited_s(status: JobStatus, at: datetime) -> float:
    """Return how long a job has waited for its turn: since it was submitted, or last given back."""
    begun = status.updated_at if status.attempt else status.created_at
    return max(0.0, (at - begun).total_seconds())
