"""What is written down about a job: manifest, status, result, failure, event."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MANIFEST_VERSION = 1


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


class Lane(StrEnum):
    """How a job is worked on."""

    SINGLE = "single"
    GANG = "gang"


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


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Share(_Model):
    """Whose a job in the queue is, and the pixels of its input that count as this user's."""

    user: str = "local"
    pixels: int = 1


class ObjectRef(_Model):
    """An object in the store, as it was when the job was accepted; or in another ``bucket``."""

    key: str
    size_bytes: int
    generation: str
    bucket: str | None = None


class Manifest(_Model):
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


class AttemptRecord(_Model):
    """``jobs/<id>/attempt-<n>.json``: who took the job up; its number is the fence."""

    job_id: str
    attempt: int
    worker: str
    started_at: datetime = Field(default_factory=now)


class AttemptOutcome(_Model):
    """``jobs/<id>/attempt-<n>.outcome.json``: how an attempt ended without a result.

    An attempt that has neither an outcome nor the job's result, and is not the last one, died
    with its worker. ``died`` says that the worker lived to tell of its stage's death; ``counts``
    is off where the job was not to blame (the store was away, the service stopped). ``ranks`` is
    what a job that was moved to the gang lane is to have.
    """

    job_id: str
    attempt: int
    kind: str
    message: str
    retryable: bool = False
    exit_code: int = 1
    died: bool = False
    counts: bool = True
    ranks: int | None = None
    ended_at: datetime = Field(default_factory=now)


class Cancellation(_Model):
    """``jobs/<id>/cancelled.json``: the request to stop; removed by a retry."""

    job_id: str
    cancelled_at: datetime = Field(default_factory=now)


class RetryRecord(_Model):
    """``jobs/<id>/retry-<n>.json``: somebody asked for another round after attempt ``n``."""

    job_id: str
    after_attempt: int
    asked_at: datetime = Field(default_factory=now)


class Failure(_Model):
    """``jobs/<id>/failed.json``: why a job ended without a result; removed by a retry."""

    job_id: str
    attempt: int
    kind: str
    message: str
    exit_code: int
    retryable: bool
    dead: bool = False
    evidence: list[str] = Field(default_factory=list)
    failed_at: datetime = Field(default_factory=now)


class Result(_Model):
    """``jobs/<id>/result.json``: written once, create-only; the one visible result.

    ``pixels_sha256`` is empty where the job was to do without.
    """

    version: int = Field(default=MANIFEST_VERSION, ge=1, le=MANIFEST_VERSION)
    job_id: str
    attempt: int
    output: ObjectRef
    output_name: str
    pixels_sha256: str
    report: dict[str, Any]
    finished_at: datetime = Field(default_factory=now)


class Load(_Model):
    """How much work there is: pixels, and core-seconds of the cost model (pixels × cost)."""

    pixels: int = 0
    core_s: float = 0.0

    def __add__(self, other: "Load") -> "Load":
        """Return both together."""
        return Load(pixels=self.pixels + other.pixels, core_s=self.core_s + other.core_s)


class Backlog(_Model):
    """What a lane has before it, and what it has done since Redis was empty.

    ``todo`` is of all jobs in the queue, waiting and held; ``done`` of those that succeeded, whose ranks
    took ``spent_s`` core-seconds in truth; ``retries`` are attempts that failed or ended without a word, and
    were tried again.
    """

    todo: Load = Load()
    done: Load = Load()
    spent_s: float = 0.0
    retries: int = 0

    def __add__(self, other: "Backlog") -> "Backlog":
        """Return both lanes' together."""
        return Backlog(
            todo=self.todo + other.todo,
            done=self.done + other.done,
            spent_s=self.spent_s + other.spent_s,
            retries=self.retries + other.retries,
        )


class LaneStatus(_Model):
    """A lane of the queue: jobs that wait and that are held, and their work.

    ``oldest_s`` is how long the job has waited that has waited longest of those that come next.
    """

    waiting: int = 0
    held: int = 0
    backlog: Backlog = Backlog()
    oldest_s: float = 0.0


class Vitals(_Model):
    """How a machine is: its processors, memory, and the disk that work is done on."""

    at: datetime = Field(default_factory=now)
    cpu_percent: float
    memory_used_bytes: int
    memory_total_bytes: int
    disk_used_bytes: int
    disk_total_bytes: int

    @property
    def memory_percent(self) -> float:
        """Memory in use, of what there is."""
        return 100.0 * self.memory_used_bytes / max(1, self.memory_total_bytes)

    @property
    def disk_percent(self) -> float:
        """Disk in use, of what this user may use."""
        return 100.0 * self.disk_used_bytes / max(1, self.disk_total_bytes)


class NodeStatus(_Model):
    """A node of the cluster.

    ``state`` is ``kept``, ``idle`` (to be let go), or ``draining`` (will be gone soon). ``ranks`` counts
    those of worlds, ``workers`` the one-rank workers. ``vitals`` are None where the node has not told lately.
    """

    id: str
    address: str
    is_head: bool = False
    state: str
    cores: int
    cores_used: int = 0
    memory_bytes: int = 0
    workers: int = 0
    worlds: int = 0
    ranks: int = 0
    vitals: Vitals | None = None

    @property
    def can_work(self) -> bool:
        """Whether jobs are done there: on the head of a larger cluster none are."""
        return bool(self.cores or self.workers)


class ClusterStatus(_Model):
    """The cluster as the scheduler saw it last; ``nodes_wanted`` is None without autoscaling.

    ``drain_s`` is the time in which today's nodes would empty the queue, -1 with work and no node.
    """

    at: datetime = Field(default_factory=now)
    nodes: list[NodeStatus] = Field(default_factory=list)
    nodes_wanted: int | None = None
    nodes_max: int = 0
    worlds: int = 0
    lanes: dict[Lane, LaneStatus] = Field(default_factory=dict)
    speed: float = 1.0
    drain_s: float = 0.0


class Sample(_Model):
    """The queue and the cluster at one time, for the chart; see :class:`ClusterStatus`."""

    at: datetime = Field(default_factory=now)
    waiting: dict[Lane, int] = Field(default_factory=dict)
    held: dict[Lane, int] = Field(default_factory=dict)
    nodes: int = 0
    nodes_wanted: int = 0
    cores_used: int = 0
    cpu_percent: float | None = None

    @classmethod
    def of(cls, cluster: ClusterStatus) -> "Sample":
        """Return what the chart shows of the cluster; without autoscaling the nodes there are are wanted."""
        at_work = [node for node in cluster.nodes if node.can_work]
        told = [node.vitals.cpu_percent for node in at_work if node.vitals is not None]
        return cls(
            at=cluster.at,
            waiting={lane: status.waiting for lane, status in cluster.lanes.items()},
            held={lane: status.held for lane, status in cluster.lanes.items()},
            nodes=len(at_work),
            nodes_wanted=len(at_work) if cluster.nodes_wanted is None else cluster.nodes_wanted,
            cores_used=sum(node.cores_used for node in at_work),
            cpu_percent=sum(told) / len(told) if told else None,
        )


class RankProgress(_Model):
    """How far one rank is; ``bands_done`` are ranges of the bands that it has kept."""

    rank: int
    rows_done: int
    rows_total: int
    bands_done: list[list[int]] = Field(default_factory=list)


class JobStatus(_Model):
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


class Event(_Model):
    """One transition or progress report of a job, as published."""

    job_id: str
    type: str
    at: datetime = Field(default_factory=now)
    status: JobStatus


class ObjectInfo(_Model):
    """What a store says of one object."""

    key: str
    size_bytes: int
    generation: str
    updated_at: datetime


class Claim(_Model):
    """The right to work on a job until its lease runs out, unless renewed.

    ``entry_id`` tells this claim from all others; ``deliveries`` is how often the job was handed out
    since it was put into the queue.
    """

    job_id: str
    lane: Lane
    consumer: str
    entry_id: str
    deliveries: int = 1


class Notice(_Model):
    """A line for the page that tells a user what happened at ``at``, such as how a job of theirs ended.

    ``kind`` is one of ``pipeline.channels.models.Kind``; ``job_id`` is empty where it is not about one job.
    """

    id: str
    user: str
    job_id: str
    text: str
    at: datetime = Field(default_factory=now)
    kind: str = "done"


class AlertState(StrEnum):
    """Whether an alert holds."""

    RAISED = "raised"
    CLEARED = "cleared"


class Alert(_Model):
    """Something that operators should see to, or need no longer.

    ``id`` says what it is about, as ``rule`` or ``rule:subject``, and is the same whenever that is so again;
    ``since`` tells one time from another, and stays the same when the alert is cleared. ``at`` is when it
    became what it is now. ``remedy`` says what to do in a line; the runbook has more (``runbook``).
    """

    id: str
    state: AlertState
    since: datetime
    at: datetime = Field(default_factory=now)
    text: str
    severity: Literal["warning", "critical"] = "warning"
    remedy: str = ""

    @property
    def rule(self) -> str:
        """The rule that was broken."""
        return self.id.partition(":")[0]

    @property
    def subject(self) -> str:
        """What broke it, such as a node; empty where the rule is about the service."""
        return self.id.partition(":")[2]

    @property
    def runbook(self) -> str:
        """The entry of ``docs/runbook.md`` that says what to do."""
        return f"Halorow{''.join(word.capitalize() for word in self.rule.split('-'))}"


class AlertsStatus(_Model):
    """``alerts/state.json``: the alerts that hold, and those of lately.

    ``version`` grows with each change. ``base`` is the version in the store that this one goes on from: a
    copy in Redis with another base has gone a way of its own. ``untold`` are changes that have yet to be
    passed on. ``looked_at`` is when the rules were last applied, up to date in Redis alone.
    """

    version: int = 0
    base: int = 0
    looked_at: datetime = Field(default_factory=now)
    active: list[Alert] = Field(default_factory=list)
    recent: list[Alert] = Field(default_factory=list)
    untold: list[Alert] = Field(default_factory=list)


Ending = Result | Cancellation | Failure
"""How a job has ended, as its records have it."""


def ended_at(ending: Ending) -> datetime:
    """Return when a job ended."""
    if isinstance(ending, Result):
        return ending.finished_at
    return ending.failed_at if isinstance(ending, Failure) else ending.cancelled_at
