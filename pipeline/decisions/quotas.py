"""What one user, and all together, may have in the queue; and when to come back if it is full."""

from dataclasses import dataclass

from pipeline.errors import QuotaError

ADMITTED_S = 600.0
"""How long a place in the queue is kept for a job whose input is being uploaded."""

SOONEST_S = 1.0
LATEST_S = 600.0
UNKNOWN_S = 30.0
"""When to come back where nothing has left the queue yet that would tell how fast it empties."""


@dataclass(frozen=True)
class Limits:
    """What is let into the queue; 0 stands for no limit.

    Attributes
    ----------
    user_pixels: pixels of the inputs of one user's jobs that wait or are worked on.
    jobs: jobs of all users that wait or are worked on.
    user_jobs_per_minute: submissions of one user in a minute, all of which may come at once.

    """

    user_pixels: int = 0
    jobs: int = 0
    user_jobs_per_minute: int = 0

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return bool(self.user_pixels or self.jobs or self.user_jobs_per_minute)


@dataclass(frozen=True)
class UploadLimits:
    """What may be uploaded, in bytes; 0 stands for no limit.

    Attributes
    ----------
    file_bytes: of one file.
    user_bytes: of all uploads of one user that are still kept.

    """

    file_bytes: int = 0
    user_bytes: int = 0


def come_back_s(excess: float, per_s: float) -> float:
    """Return in how many seconds there will be room: when ``excess`` has left at ``per_s`` a second."""
    if per_s <= 0:
        return UNKNOWN_S
    return min(LATEST_S, max(SOONEST_S, excess / per_s))


def too_many_pixels(user: str, has: int, more: int, limits: Limits, per_s: float) -> QuotaError:
    """Return what is said to a user whose jobs would have too many pixels."""
    after_s = come_back_s(has + more - limits.user_pixels, per_s)
    return QuotaError(
        f"{user} has {has} pixels in the queue, and {more} more would be over the limit of"
        f" {limits.user_pixels} (user_queued_pixels); come back in {after_s:.0f} s",
        retry_after_s=after_s,
    )


def too_many_jobs(has: int, limits: Limits, per_s: float) -> QuotaError:
    """Return what is said where the queue is full."""
    after_s = come_back_s(has + 1 - limits.jobs, per_s)
    return QuotaError(
        f"the queue is full: {has} jobs of at most {limits.jobs} (queued_jobs); come back in {after_s:.0f} s",
        retry_after_s=after_s,
    )


def too_fast(user: str, limits: Limits, wait_s: float) -> QuotaError:
    """Return what is said to a user who submits too fast."""
    after_s = max(SOONEST_S, wait_s)
    return QuotaError(
        f"{user} has submitted {limits.user_jobs_per_minute} jobs within a minute, which is the limit"
        f" (user_jobs_per_minute); come back in {after_s:.0f} s",
        retry_after_s=after_s,
    )
