"""What the service measures of itself: the one table of names, types, tags and meanings.

Ray puts ``ray_`` before each name, and ``_total`` after that of a counter, where Prometheus fetches them:
from the metrics port of the head, whose scheduler tells them all. Everything here is made anew from Redis
and Ray; nothing is lost for good with the scheduler but what the counters had reached.
"""

from dataclasses import dataclass
from enum import StrEnum

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
"""Upper bounds of the buckets of all times: from a small picture to a scan of a terapixel."""


class Kind(StrEnum):
    """What a metric does over time."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One row of the table: the name in the program, and what its values mean."""

    name: str
    kind: Kind
    tags: tuple[str, ...]
    meaning: str

    @property
    def exported(self) -> str:
        """The name in Prometheus; a histogram's goes on with ``_bucket``, ``_sum`` or ``_count``."""
        return f"ray_{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"


QUEUE_JOBS = Metric(
    "halorow_queue_jobs",
    Kind.GAUGE,
    ("lane", "state"),
    "jobs that are `waiting` (delayed ones too) or `held`",
)
QUEUE_PIXELS = Metric(
    "halorow_queue_pixels", Kind.GAUGE, ("lane",), "pixels of all jobs in the queue, waiting and held"
)
QUEUE_WORK = Metric(
    "halorow_queue_core_seconds",
    Kind.GAUGE,
    ("lane",),
    "their work, pixels times cost, in core-seconds of the cost model",
)
QUEUE_OLDEST = Metric(
    "halorow_queue_oldest_seconds",
    Kind.GAUGE,
    ("lane",),
    "how long the job has waited that has waited longest of those that come next",
)
DRAIN = Metric(
    "halorow_drain_seconds",
    Kind.GAUGE,
    (),
    "time in which today's nodes would empty the queue; -1 with work and no node",
)
SPEED = Metric(
    "halorow_speed",
    Kind.GAUGE,
    (),
    "measured rate: core-seconds of the cost model done in one second by one core",
)
PIXELS_DONE = Metric(
    "halorow_pixels_done",
    Kind.COUNTER,
    ("lane",),
    "pixels of jobs that have succeeded; its rate is the throughput",
)
WORK_DONE = Metric(
    "halorow_core_seconds_done",
    Kind.COUNTER,
    ("lane",),
    "work of jobs that have succeeded, by the cost model",
)
WORK_SPENT = Metric(
    "halorow_core_seconds_spent", Kind.COUNTER, ("lane",), "ranks times seconds that these jobs took"
)
JOBS_ENDED = Metric(
    "halorow_jobs_ended",
    Kind.COUNTER,
    ("state",),
    "ends of jobs: `succeeded`, `failed`, `cancelled`, or `dead` (a dead letter)",
)
RETRIES = Metric(
    "halorow_retries",
    Kind.COUNTER,
    ("lane",),
    "attempts that failed and are tried again, or whose lease ran out",
)
JOB_TIME = Metric("halorow_job_seconds", Kind.HISTOGRAM, ("lane",), "from submission to the end of a job")
JOB_WAIT = Metric(
    "halorow_job_wait_seconds", Kind.HISTOGRAM, ("lane",), "from submission to the start of the last attempt"
)
NODES = Metric(
    "halorow_nodes",
    Kind.GAUGE,
    ("state",),
    "worker nodes: `wanted` by the autoscaler, `alive`, and of these `draining`",
)
NODES_MAX = Metric(
    "halorow_nodes_max", Kind.GAUGE, (), "the most worker nodes allowed; 0 without autoscaling"
)
WORLDS = Metric("halorow_worlds", Kind.GAUGE, (), "worlds that hold cores now, at work or idle")
NODE_CORES = Metric("halorow_node_cores", Kind.GAUGE, ("node",), "cores of a node")
NODE_CORES_USED = Metric("halorow_node_cores_used", Kind.GAUGE, ("node",), "of these, held by worlds")
NODE_RANKS = Metric(
    "halorow_node_ranks", Kind.GAUGE, ("node",), "ranks of worlds, and one-rank workers, on a node"
)

ALERTS = Metric(
    "halorow_alerts",
    Kind.GAUGE,
    ("rule", "severity"),
    "alerts of the service's own rules that hold; none can be told of while Redis is away",
)

METRICS = (
    QUEUE_JOBS,
    QUEUE_PIXELS,
    QUEUE_WORK,
    QUEUE_OLDEST,
    DRAIN,
    SPEED,
    PIXELS_DONE,
    WORK_DONE,
    WORK_SPENT,
    JOBS_ENDED,
    RETRIES,
    JOB_TIME,
    JOB_WAIT,
    NODES,
    NODES_MAX,
    WORLDS,
    NODE_CORES,
    NODE_CORES_USED,
    NODE_RANKS,
    ALERTS,
)
"""The table, in the order of the documentation."""


def as_markdown() -> str:
    """Return the table for ``docs/metrics.md``."""
    rows = [
        f"| `{metric.exported}` | {metric.kind.value} | {', '.join(metric.tags)} | {metric.meaning} |"
        for metric in METRICS
    ]
    return "\n".join(["| name | type | tags | meaning |", "|---|---|---|---|", *rows])
