"""How much work there is, and how the cluster is that does it."""

from datetime import datetime

from pydantic import Field

from pipeline.models.base import Model, now
from pipeline.models.queue import Lane


class Load(Model):
    """How much work there is: pixels, and core-seconds of the cost model (pixels × cost)."""

    pixels: int = 0
    core_s: float = 0.0

    def __add__(self, other: "Load") -> "Load":
        """Return both together."""
        return Load(pixels=self.pixels + other.pixels, core_s=self.core_s + other.core_s)


class Backlog(Model):
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


class LaneStatus(Model):
    """A lane of the queue: jobs that wait and that are held, and their work.

    ``oldest_s`` is how long the job has waited that has waited longest of those that come next.
    """

    waiting: int = 0
    held: int = 0
    backlog: Backlog = Backlog()
    oldest_s: float = 0.0


class Vitals(Model):
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


class NodeStatus(Model):
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


class ClusterStatus(Model):
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


class Sample(Model):
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
