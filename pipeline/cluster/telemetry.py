"""Puts the metrics of ``pipeline.metrics`` into Ray's Prometheus endpoint."""

from collections import Counter as Counting
from collections.abc import Sequence
from typing import Any

from ray.util.metrics import Counter, Gauge, Histogram

from pipeline import metrics
from pipeline.alerts.rules import Rule
from pipeline.metrics import METRICS, SECONDS, Kind, Metric
from pipeline.models import AlertsStatus, ClusterStatus, JobStatus, Lane, LaneStatus, NodeStatus


class Telemetry:
    """The metrics of one scheduler. Counters go on from what was there when it began."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        """Make all metrics of the table; nothing is told yet. ``rules`` are those of alerts."""
        self._made = {metric: _made(metric) for metric in METRICS}
        self._before: dict[Lane, LaneStatus] = {}
        self._nodes: set[str] = set()
        self._alerts: set[tuple[str, str]] = {(rule.name, rule.severity) for rule in rules}

    def tell(self, status: ClusterStatus) -> None:
        """Tell how the cluster and the queue are."""
        for lane, now in status.lanes.items():
            self._tell_lane(lane, now, self._before.get(lane, now))
        self._before = dict(status.lanes)
        self._set(metrics.SPEED, status.speed)
        self._set(metrics.DRAIN, status.drain_s)
        self._set(metrics.WORLDS, status.worlds)
        workers = [node for node in status.nodes if not node.is_head]
        draining = sum(node.state == "draining" for node in workers)
        wanted = len(workers) if status.nodes_wanted is None else status.nodes_wanted
        for state, number in (("wanted", wanted), ("alive", len(workers)), ("draining", draining)):
            self._set(metrics.NODES, number, state=state)
        self._set(metrics.NODES_MAX, status.nodes_max)
        self._tell_nodes(status.nodes)

    def ended(self, status: JobStatus) -> None:
        """Count the end of a job, and how long it took."""
        self._made[metrics.JOBS_ENDED].inc(1, tags={"state": status.state.value})
        lane = {"lane": status.lane.value}
        if status.finished_at is not None:
            total_s = (status.finished_at - status.created_at).total_seconds()
            self._made[metrics.JOB_TIME].observe(max(0.0, total_s), tags=lane)
        if status.started_at is not None:
            wait_s = (status.started_at - status.created_at).total_seconds()
            self._made[metrics.JOB_WAIT].observe(max(0.0, wait_s), tags=lane)

    def alerts(self, status: AlertsStatus | None) -> None:
        """Tell how many alerts of each rule hold, also of those of which none does."""
        held = Counting((alert.rule, str(alert.severity)) for alert in (status.active if status else []))
        self._alerts |= held.keys()
        for rule, severity in self._alerts:
            self._set(metrics.ALERTS, held[rule, severity], rule=rule, severity=severity)

    def _tell_lane(self, lane: Lane, now: LaneStatus, before: LaneStatus) -> None:
        name = lane.value
        self._set(metrics.QUEUE_JOBS, now.waiting, lane=name, state="waiting")
        self._set(metrics.QUEUE_JOBS, now.held, lane=name, state="held")
        self._set(metrics.QUEUE_PIXELS, now.backlog.todo.pixels, lane=name)
        self._set(metrics.QUEUE_OLDEST, now.oldest_s, lane=name)
        self._set(metrics.QUEUE_WORK, now.backlog.todo.core_s, lane=name)
        after, earlier = now.backlog, before.backlog
        for metric, grown in (
            (metrics.PIXELS_DONE, after.done.pixels - earlier.done.pixels),
            (metrics.WORK_DONE, after.done.core_s - earlier.done.core_s),
            (metrics.WORK_SPENT, after.spent_s - earlier.spent_s),
            (metrics.RETRIES, after.retries - earlier.retries),
        ):
            if grown > 0:  # less than before: Redis has begun anew
                self._made[metric].inc(grown, tags={"lane": name})

    def _tell_nodes(self, nodes: list[NodeStatus]) -> None:
        """Tell of every node, and of those that have gone that nothing is there."""
        gone = self._nodes - {node.address for node in nodes}
        self._nodes = {node.address for node in nodes}
        for node in nodes:
            self._set(metrics.NODE_CORES, node.cores, node=node.address)
            self._set(metrics.NODE_CORES_USED, node.cores_used, node=node.address)
            self._set(metrics.NODE_RANKS, node.ranks + node.workers, node=node.address)
        for address in gone:
            for metric in (metrics.NODE_CORES, metrics.NODE_CORES_USED, metrics.NODE_RANKS):
                self._set(metric, 0, node=address)

    def _set(self, metric: Metric, value: float, **tags: str) -> None:
        self._made[metric].set(value, tags=tags)


def _made(metric: Metric) -> Any:  # noqa: ANN401  (three kinds with a method of their own each)
    if metric.kind is Kind.HISTOGRAM:
        return Histogram(metric.name, metric.meaning, boundaries=list(SECONDS), tag_keys=metric.tags)
    kind = Gauge if metric.kind is Kind.GAUGE else Counter
    return kind(metric.name, metric.meaning, tag_keys=metric.tags)
