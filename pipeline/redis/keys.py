"""Every key and channel in Redis: the one table, and a function for each.

Everything here can be lost. The object store holds the truth, and reconciliation builds it anew.
"""

from dataclasses import dataclass

from pipeline.models import JobState, Lane

PREFIX = "halorow:1:"
"""What all keys and channels of the service start with; the number changes with what they hold, so that no
release takes another's keys for its own: it finds none, and reconciliation builds them anew."""

BANDS = ("high", "normal", "low")
"""The bands of a lane by name, in the order in which they are served."""


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
        "halorow:1:queue:<lane>:waiting:high|normal|low",
        "sorted set",
        "none; members leave when handed out",
        "client, reconciler, workers, scheduler",
        "workers, scheduler, autoscaler",
        "ids of jobs that wait in a band, scored by their tag in virtual time (pipeline.decisions.sharing)",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:shares:high|normal|low",
        "sorted set",
        "none; members leave when the band's virtual time has passed them",
        "client, reconciler, workers, scheduler",
        "the same",
        "users, scored by where their jobs end in the band's virtual time",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:delayed",
        "sorted set",
        "none; members leave when due",
        "client, workers, scheduler, reconciler",
        "whoever claims",
        "ids of jobs that wait for a retry or are being submitted, scored by when they are due (ms since"
        " 1970, Redis' clock)",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:leases",
        "sorted set",
        "none; members leave on release",
        "workers, scheduler",
        "whoever claims, autoscaler",
        "ids of held jobs, scored by when their leases run out (ms since 1970, Redis' clock)",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:holders",
        "hash",
        "none; fields leave on release",
        "workers, scheduler",
        "the same",
        "by id of a held job the entry of its claim, its deliveries and the consumer",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:members",
        "hash",
        "none; fields leave on release",
        "client, reconciler, workers, scheduler",
        "reconciler",
        "id of every job in the lane, with its band, tag, cost, pixels, the call that put it there, and user",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:load",
        "hash",
        "none; fields leave with a user's last job",
        "client, reconciler, workers, scheduler",
        "client",
        "pixels that each user has in the lane, waiting or held",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:turn",
        "hash",
        "none",
        "client, reconciler, workers, scheduler",
        "the same",
        "virtual time of each band, how often it was passed over, and how fast the lane empties",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:wake",
        "stream",
        "none; one entry",
        "client, reconciler, workers, scheduler",
        "workers, scheduler",
        "a new entry whenever a job begins to wait: what waiting claims listen to",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:answer:<consumer>",
        "string",
        "60 s",
        "workers, scheduler",
        "the same consumer",
        "the last answer to a consumer, so that a call repeated over a broken connection is done once",
    ),
    KeyPattern(
        "halorow:1:ledger:<lane>:jobs",
        "hash",
        "none; fields leave when jobs end",
        "client, reconciler, workers, scheduler",
        "the same",
        "id of every job in the lane, with its pixels and its core-milliseconds by the cost model",
    ),
    KeyPattern(
        "halorow:1:ledger:<lane>:sums",
        "hash",
        "none",
        "client, reconciler, workers, scheduler",
        "scheduler",
        "their sums, those of all jobs that have succeeded, what these took in truth, and the retries",
    ),
    KeyPattern(
        "halorow:1:rate:<user>",
        "hash",
        "until it is full again",
        "client",
        "client",
        "submissions that a user may make at once, and when that was worked out (ms, Redis' clock)",
    ),
    KeyPattern(
        "halorow:1:cluster",
        "string",
        "1 minute",
        "scheduler",
        "client",
        "nodes, lanes and what the autoscaler wants, as JSON",
    ),
    KeyPattern(
        "halorow:1:vitals:<node>",
        "string",
        "1 minute",
        "workers, scheduler",
        "scheduler",
        "CPU, memory and disk of a node, as JSON",
    ),
    KeyPattern(
        "halorow:1:samples",
        "stream",
        "none; a day's entries",
        "scheduler",
        "client, page",
        "the queue and the nodes over time, as JSON",
    ),
    KeyPattern(
        "halorow:1:alerts",
        "string",
        "none",
        "notifier",
        "client, page, scheduler",
        "alerts now and lately, and when the rules were last applied, as JSON; changes are in the store too",
    ),
    KeyPattern(
        "halorow:1:status:<job>",
        "hash",
        "30 days after the job's end (setting), none before",
        "client, workers, scheduler, reconciler",
        "client, page, notifier",
        "the job's status as JSON, with state, attempt and user beside it for comparison",
    ),
    KeyPattern(
        "halorow:1:jobs",
        "sorted set",
        "none; members leave when their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page",
        "ids of all jobs, scored by when they were created (seconds since 1970)",
    ),
    KeyPattern(
        "halorow:1:jobs:user:<user>",
        "sorted set",
        "none; members leave when their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page",
        "the same for one user's jobs",
    ),
    KeyPattern(
        "halorow:1:jobs:failed",
        "sorted set",
        "none; members leave when they are tried again, deleted, or their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page, notifier",
        "ids of the jobs that are failed, scored by when they ended (seconds since 1970)",
    ),
    KeyPattern(
        "halorow:1:jobs:dead",
        "sorted set",
        "none; members leave when they are tried again, deleted, or their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page, notifier",
        "ids of the dead letters, scored by when they ended (seconds since 1970)",
    ),
    KeyPattern(
        "halorow:1:jobs:whole",
        "string",
        "none",
        "reconciler",
        "reconciler",
        "the run of the server that has lost nothing; gone or another, and statuses are made anew",
    ),
    KeyPattern(
        "halorow:1:cancel:<job>",
        "string",
        "1 day",
        "client, page",
        "workers, scheduler",
        "there while the job has been asked to stop",
    ),
    KeyPattern(
        "halorow:1:notices:<user>",
        "stream",
        "7 days after the last notice; 200 entries",
        "notifier",
        "client, page",
        "lines that tell a user how jobs and batches of theirs ended, and operators of alerts, as JSON",
    ),
    KeyPattern(
        "halorow:1:told:<notice>",
        "string",
        "7 days",
        "notifier",
        "notifier",
        "there if the notice of this event has been posted, so that it is posted once",
    ),
    KeyPattern(
        "halorow:1:events:job:<job>",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "client, page",
        "events of one job as JSON",
    ),
    KeyPattern(
        "halorow:1:events:all",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "client, page",
        "events of every job as JSON",
    ),
    KeyPattern(
        "halorow:1:events:endings",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "notifier",
        "of the same those that tell how a job ended",
    ),
)


def _queue(lane: Lane, *names: str) -> str:
    return ":".join((f"{PREFIX}queue", lane.value, *names))


def waiting(lane: Lane) -> list[str]:
    """Return the sorted sets of a lane's waiting jobs, in the order of :data:`BANDS`."""
    return [_queue(lane, "waiting", band) for band in BANDS]


def shares(lane: Lane) -> list[str]:
    """Return the sorted sets of the users of a lane's bands, in the order of :data:`BANDS`."""
    return [_queue(lane, "shares", band) for band in BANDS]


def delayed(lane: Lane) -> str:
    """Return the sorted set of a lane's delayed jobs."""
    return _queue(lane, "delayed")


def leases(lane: Lane) -> str:
    """Return the sorted set of a lane's held jobs."""
    return _queue(lane, "leases")


def holders(lane: Lane) -> str:
    """Return the hash of who holds which of a lane's jobs."""
    return _queue(lane, "holders")


def members(lane: Lane) -> str:
    """Return the hash of all jobs in a lane."""
    return _queue(lane, "members")


def load(lane: Lane) -> str:
    """Return the hash of what each user has in a lane."""
    return _queue(lane, "load")


def turn(lane: Lane) -> str:
    """Return the hash of whose turn it is in a lane."""
    return _queue(lane, "turn")


def wake(lane: Lane) -> str:
    """Return the stream that waiting claims listen to."""
    return _queue(lane, "wake")


def answer(lane: Lane, consumer: str) -> str:
    """Return the key of the last answer that a consumer was given."""
    return _queue(lane, "answer", consumer)


def rate(user: str) -> str:
    """Return the key of what a user may still submit now."""
    return f"{PREFIX}rate:{user}"


def ledger(lane: Lane) -> list[str]:
    """Return the hashes of a lane's ledger: jobs and sums."""
    return [f"{PREFIX}ledger:{lane.value}:{part}" for part in ("jobs", "sums")]


def cluster() -> str:
    """Return the key of how the cluster is."""
    return f"{PREFIX}cluster"


def vitals(node_id: str) -> str:
    """Return the key of how a node is."""
    return f"{PREFIX}vitals:{node_id}"


def samples() -> str:
    """Return the stream of the queue and the nodes over time."""
    return f"{PREFIX}samples"


def alerts() -> str:
    """Return the key of the alerts."""
    return f"{PREFIX}alerts"


def status(job_id: str) -> str:
    """Return the key of a job's status."""
    return f"{PREFIX}status:{job_id}"


def jobs(user: str | None = None) -> str:
    """Return the index of all jobs, or of one user's."""
    return f"{PREFIX}jobs" if user is None else f"{PREFIX}jobs:user:{user}"


def trouble(state: JobState) -> str:
    """Return the index of the jobs that are failed, or of those that are dead."""
    return f"{PREFIX}jobs:{state.value}"


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
