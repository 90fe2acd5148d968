"""Every key and channel in Redis: the one table, and a function for each.

Everything here can be lost. The object store holds the truth, and reconciliation builds it anew.
"""

from dataclasses import dataclass

from pipeline.models import Lane

PREFIX = "halorow:"
"""What all keys and channels of the service start with."""

GROUP = "workers"
"""The consumer group of every stream."""

BANDS = ("high", "normal", "low")
"""The streams of a lane, in the order in which they are served."""


@dataclass(frozen=True)
class KeyPattern:
    """One row of the table: what a key holds, how long it lives, who writes and who reads it."""

    pattern: str
    type: str
    ttl: str
    writers: str
    readers: str
    holds: str


KEY_TABLE = (
    KeyPattern(
        "halorow:queue:<lane>:high|normal|low",
        "stream",
        "none; entries are deleted on release",
        "client, reconciler, workers, scheduler",
        "workers, scheduler, autoscaler",
        "ids of waiting and held jobs; who holds which is in the group's pending list",
    ),
    KeyPattern(
        "halorow:queue:<lane>:delayed",
        "sorted set",
        "none; members leave when due",
        "workers, scheduler, reconciler",
        "whoever claims",
        "ids of jobs that wait for a retry, scored by when they are due (ms since 1970, Redis' clock)",
    ),
    KeyPattern(
        "halorow:queue:<lane>:members",
        "hash",
        "none; fields leave on release",
        "client, reconciler, workers, scheduler",
        "reconciler",
        "id of every job in the lane, with its band and the call that put it there",
    ),
    KeyPattern(
        "halorow:queue:<lane>:answer:<consumer>",
        "string",
        "60 s",
        "workers, scheduler",
        "the same consumer",
        "the last answer to a consumer, so that a call repeated over a broken connection is done once",
    ),
    KeyPattern(
        "halorow:ledger:<lane>:jobs",
        "hash",
        "none; fields leave when jobs end",
        "client, reconciler, workers, scheduler",
        "the same",
        "id of every job in the lane, with its pixels and its core-milliseconds by the cost model",
    ),
    KeyPattern(
        "halorow:ledger:<lane>:sums",
        "hash",
        "none",
        "client, reconciler, workers, scheduler",
        "scheduler",
        "their sums, those of all jobs that have succeeded, what these took in truth, and the retries",
    ),
    KeyPattern(
        "halorow:status:<job>",
        "hash",
        "30 days after the job's end (setting), none before",
        "client, workers, scheduler, reconciler",
        "client, page, notifier",
        "the job's status as JSON, with state, attempt and user beside it for comparison",
    ),
    KeyPattern(
        "halorow:jobs",
        "sorted set",
        "none; members leave when their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page",
        "ids of all jobs, scored by when they were created (seconds since 1970)",
    ),
    KeyPattern(
        "halorow:jobs:user:<user>",
        "sorted set",
        "none; members leave when their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page",
        "the same for one user's jobs",
    ),
    KeyPattern(
        "halorow:jobs:whole",
        "string",
        "none",
        "reconciler",
        "reconciler",
        "there unless Redis has lost its data, and with them the statuses of finished jobs",
    ),
    KeyPattern(
        "halorow:cancel:<job>",
        "string",
        "1 day",
        "client, page",
        "workers, scheduler",
        "there while the job has been asked to stop",
    ),
    KeyPattern(
        "halorow:notices:<user>",
        "stream",
        "7 days after the last notice; 200 entries",
        "notifier",
        "client, page",
        "lines that tell a user how a job of theirs ended, as JSON",
    ),
    KeyPattern(
        "halorow:told:<notice>",
        "string",
        "7 days",
        "notifier",
        "notifier",
        "there if the notice of this end of a job has been posted, so that it is posted once",
    ),
    KeyPattern(
        "halorow:events:job:<job>",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "client, page",
        "events of one job as JSON",
    ),
    KeyPattern(
        "halorow:events:all",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "client, page",
        "events of every job as JSON",
    ),
    KeyPattern(
        "halorow:events:endings",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "notifier",
        "of the same those that tell how a job ended",
    ),
)


def band_of(priority: int) -> int:
    """Return the index in :data:`BANDS` of a priority: above 0 high, 0 normal, below 0 low."""
    if priority > 0:
        return 0
    return 1 if priority == 0 else 2


def streams(lane: Lane) -> list[str]:
    """Return the streams of a lane, in the order of :data:`BANDS`."""
    return [f"{PREFIX}queue:{lane.value}:{band}" for band in BANDS]


def delayed(lane: Lane) -> str:
    """Return the sorted set of a lane's delayed jobs."""
    return f"{PREFIX}queue:{lane.value}:delayed"


def members(lane: Lane) -> str:
    """Return the hash of all jobs in a lane."""
    return f"{PREFIX}queue:{lane.value}:members"


def answer(lane: Lane, consumer: str) -> str:
    """Return the key of the last answer that a consumer was given."""
    return f"{PREFIX}queue:{lane.value}:answer:{consumer}"


def ledger(lane: Lane) -> list[str]:
    """Return the hashes of a lane's ledger: jobs and sums."""
    return [f"{PREFIX}ledger:{lane.value}:{part}" for part in ("jobs", "sums")]


def status(job_id: str) -> str:
    """Return the key of a job's status."""
    return f"{PREFIX}status:{job_id}"


def jobs(user: str | None = None) -> str:
    """Return the index of all jobs, or of one user's."""
    return f"{PREFIX}jobs" if user is None else f"{PREFIX}jobs:user:{user}"


def whole() -> str:
    """Return the mark that the board has lost nothing."""
    return f"{PREFIX}jobs:whole"


def cancel(job_id: str) -> str:
    """Return the key of the request to stop a job."""
    return f"{PREFIX}cancel:{job_id}"


def notices(user: str) -> str:
    """Return the stream of a user's notices."""
    return f"{PREFIX}notices:{user}"


def told(notice_id: str) -> str:
    """Return the mark that a notice has been posted."""
    return f"{PREFIX}told:{notice_id}"


def channel(job_id: str | None = None) -> str:
    """Return the channel of one job's events, or of all."""
    return f"{PREFIX}events:all" if job_id is None else f"{PREFIX}events:job:{job_id}"


def endings() -> str:
    """Return the channel of the events that tell how jobs ended."""
    return f"{PREFIX}events:endings"
