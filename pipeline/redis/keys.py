"""A function for every key and channel in Redis; ``pipeline.redis.key_table`` says what they hold."""

from pipeline.models import JobState, Lane

PREFIX = "halorow:1:"
"""What all keys and channels of the service start with; the number changes with what they hold, so that no
release takes another's keys for its own: it finds none, and reconciliation builds them anew."""

BANDS = ("high", "normal", "low")
"""The bands of a lane by name, in the order in which they are served."""


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
