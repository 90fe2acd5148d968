"""Carries out what ``pipeline.decisions.autoscale`` decides: asks Ray for nodes, and says which are kept."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ray.autoscaler.sdk import request_resources

from pipeline.attempts.waits import oldest_wait_s
from pipeline.cluster.nodes import Node
from pipeline.config import Settings
from pipeline.decisions.autoscale import Demand, Limits, Target, decide
from pipeline.decisions.gpus import CPU
from pipeline.decisions.rates import Rates
from pipeline.errors import QueueUnavailableError
from pipeline.models import Backlog, Lane, LaneStatus, now
from pipeline.parts import Parts


@dataclass(frozen=True)
class Scaled:
    """What was measured, decided and done; ``demand`` is None while nothing has been measured."""

    demand: Demand | None
    target: Target
    kept: list[Node]
    lanes: Mapping[Lane, LaneStatus] = field(default_factory=dict)


class Scaler:
    """The one owner of the cluster's request for resources, in the scheduler.

    The request is a floor below the size of the whole cluster, one slot for all who ask, and outlives
    whoever made it; so it is made anew every time, and taken back with no nodes wanted.
    """

    def __init__(self, parts: Parts, settings: Settings) -> None:
        """Decide nothing yet."""
        self._parts = parts
        self._settings = settings
        self._rates = Rates(settings.drain_s)
        self._demand: Demand | None = None
        self._target = Target()
        self._kept: set[str] = set()
        self._lanes: dict[Lane, LaneStatus] = {}

    def step(self, nodes: Sequence[Node], busy: set[str]) -> Scaled:
        """Measure, decide and ask; ``busy`` nodes have a world at work. Raises RayError.

        While Redis is away, what was decided last stands.
        """
        usable = [node for node in nodes if not node.draining]
        workers = [node for node in usable if not node.is_head]
        with suppress(QueueUnavailableError):
            self._demand = self._measure(len(workers))
        if not self._settings.nodes_max or self._demand is None:
            return Scaled(self._demand, self._target, usable, self._lanes)
        self._target = decide(self._target, self._demand, limits_of(self._settings))
        self.ask(self._target.wanted)
        staying = kept_nodes(workers, self._target.wanted, busy, self._kept)
        self._kept = {node.id for node in staying}
        kept = [*(node for node in usable if node.is_head), *staying]
        return Scaled(self._demand, self._target, kept, self._lanes)

    def ask(self, wanted: int) -> None:
        """Ask Ray for so many nodes in all; with none, take the request back. Raises RayError."""
        if self._settings.nodes_max:
            request_resources(bundles=[{CPU: self._settings.node_cores}] * wanted)

    def _measure(self, alive: int) -> Demand:
        at_s, queue, board = time.monotonic(), self._parts.queue, self._parts.board
        self._lanes = {
            lane: LaneStatus(
                waiting=queue.depth(lane),
                held=queue.held(lane),
                backlog=self._parts.ledger.backlog(lane),
                oldest_s=oldest_wait_s(queue, board, lane, now()),
            )
            for lane in Lane
        }
        backlog = sum((lane.backlog for lane in self._lanes.values()), Backlog())
        self._rates = self._rates.with_sample(at_s, backlog)
        return Demand(
            at_s=at_s,
            jobs=sum(lane.waiting + lane.held for lane in self._lanes.values()),
            core_s=backlog.todo.core_s,
            arriving=self._rates.arriving,
            speed=self._rates.speed,
            alive=alive,
        )


def limits_of(settings: Settings) -> Limits:
    """Return what the settings allow and want."""
    return Limits(
        nodes_max=settings.nodes_max,
        node_cores=settings.node_cores,
        nodes_min=settings.nodes_min,
        standby=settings.nodes_standby,
        drain_s=settings.drain_s,
        start_s=settings.node_start_s,
        quiet_s=settings.quiet_s,
    )


def kept_nodes(nodes: Sequence[Node], wanted: int, busy: set[str], before: set[str]) -> list[Node]:
    """Return the nodes whose workers stay: those with a world at work first, then those kept before."""
    return sorted(nodes, key=lambda node: (node.id not in busy, node.id not in before, node.id))[:wanted]
