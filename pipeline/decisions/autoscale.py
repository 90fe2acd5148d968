"""How many nodes the queue needs: a pure decision, without clock or I/O.

Upwards it follows the queue at once. Downwards it waits until less has been enough for as long as a queue
may take to drain, and leaves some slack, so that a steady queue never makes it go to and fro. It does not
go down while a queue drains: that costs as much as draining it with fewer nodes, and takes longer.
"""

import math
from dataclasses import dataclass, replace

SLACK = 0.2
"""Of what is needed, kept beyond it when nodes are let go: what measured rates and arrivals vary by."""

LEAST_DRAIN_FRACTION = 0.1
"""Of the time to drain, what is left for the work at least where nodes take long to start."""


@dataclass(frozen=True)
class Limits:
    """What the operator allows and wants.

    Attributes
    ----------
    nodes_min, nodes_max: nodes at any time.
    standby: nodes beyond those that the queue needs, within the maximum: they take over at once from
        nodes that vanish.
    node_cores: of one node.
    drain_s: how long emptying the queue may take.
    start_s: how long a node takes from its request to its first job.
    quiet_s: how long the queue is empty before nodes are let go.

    """

    nodes_max: int
    node_cores: int
    nodes_min: int = 0
    standby: int = 0
    drain_s: float = 300.0
    start_s: float = 90.0
    quiet_s: float = 60.0


@dataclass(frozen=True)
class Demand:
    """What there is to do, and how fast it gets done.

    Attributes
    ----------
    at_s: when this was measured, by a clock that never goes back.
    jobs: in the queue, waiting and held.
    core_s: their work in core-seconds of the cost model: pixels × cost.
    arriving: core-seconds of the cost model that come in every second.
    speed: core-seconds of the cost model that one core does in a second.
    alive: nodes that work now.

    """

    at_s: float
    jobs: int
    core_s: float
    arriving: float = 0.0
    speed: float = 1.0
    alive: int = 0


@dataclass(frozen=True)
class Target:
    """The decision, and what the next one must know of the past.

    Attributes
    ----------
    needed: nodes for the queue alone.
    wanted: nodes to have: ``needed`` with minimum, standby and maximum.
    lower_since_s, lower_peak: since when fewer have been enough, and the most needed since then.
    empty_since_s: since when the queue has been empty.

    """

    needed: int = 0
    wanted: int = 0
    lower_since_s: float | None = None
    lower_peak: int = 0
    empty_since_s: float | None = None


def decide(before: Target, demand: Demand, limits: Limits) -> Target:
    """Return the nodes to have from now on."""
    empty_since_s = None
    if not demand.jobs:
        empty_since_s = demand.at_s if before.empty_since_s is None else before.empty_since_s
    after = _needed(before, demand, limits, empty_since_s)
    wanted = min(limits.nodes_max, max(limits.nodes_min, after.needed + limits.standby))
    return replace(after, wanted=wanted, empty_since_s=empty_since_s)


def _needed(before: Target, demand: Demand, limits: Limits, empty_since_s: float | None) -> Target:
    if empty_since_s is not None and demand.at_s - empty_since_s >= limits.quiet_s:
        return Target()
    exact = _exact_need(demand, limits)
    need = _nodes(exact, limits)
    if need > before.needed:
        return Target(needed=need)
    enough = _nodes(exact * (1 + SLACK), limits)
    if enough >= before.needed:
        return Target(needed=before.needed)
    since_s = demand.at_s if before.lower_since_s is None else before.lower_since_s
    peak = enough if before.lower_since_s is None else max(before.lower_peak, enough)
    if demand.jobs and demand.at_s - since_s >= limits.drain_s:
        return Target(needed=peak)
    return Target(needed=before.needed, lower_since_s=since_s, lower_peak=peak)


def _exact_need(demand: Demand, limits: Limits) -> float:
    """Return the nodes, in parts too, that drain the queue in time and keep pace with what arrives."""
    if not demand.jobs:
        return 0.0
    per_s = limits.node_cores * demand.speed
    in_time = per_s * limits.drain_s
    there = demand.alive * in_time
    if demand.core_s <= there:
        draining = demand.core_s / in_time
    else:
        left_s = max(limits.drain_s - limits.start_s, limits.drain_s * LEAST_DRAIN_FRACTION)
        draining = demand.alive + (demand.core_s - there) / (per_s * left_s)
    # Of a queue that is not empty somebody must work on the last and smallest job too.
    return max(draining, demand.arriving / per_s, 1e-6)


def _nodes(exact: float, limits: Limits) -> int:
    return min(limits.nodes_max, math.ceil(round(exact, 9)))


def drain_s(demand: Demand, node_cores: int) -> float:
    """Return in how many seconds today's nodes would empty the queue; -1 where there is work and no node."""
    if not demand.core_s:
        return 0.0
    return demand.core_s / (demand.speed * demand.alive * node_cores) if demand.alive else -1.0
