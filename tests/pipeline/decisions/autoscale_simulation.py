"""A small cluster that does what the decision says, for tests of the decision: time goes in steps."""

from collections import deque
from dataclasses import dataclass, field

from pipeline.decisions.autoscale import Demand, Target, decide
from pipeline.decisions.rates import Rates
from pipeline.models import Backlog, Load

STEP_S = 5.0


@dataclass
class Node:
    """Cores that each work on one job; ``left`` is what remains of each core's job."""

    ready_s: float
    left: list[float]


@dataclass
class Cluster:
    """Nodes that come a while after they are wanted and go when they are idle.

    ``speed`` is what the cost model's core-seconds are truly worth; it is measured, unless ``known`` from
    the start.
    """

    limits: object
    speed: float = 1.0
    known: bool = False
    at_s: float = 0.0
    target: Target = field(default_factory=Target)
    nodes: list[Node] = field(default_factory=list)
    waiting: deque = field(default_factory=deque)
    todo_s: float = 0.0
    done_s: float = 0.0
    wanted: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.rates = Rates(self.limits.drain_s)

    @property
    def jobs(self):
        return len(self.waiting) + self.working

    @property
    def working(self):
        return sum(left > 0 for node in self.nodes for left in node.left)

    @property
    def alive(self):
        return sum(node.ready_s <= self.at_s for node in self.nodes)

    def submit(self, jobs, core_s):
        self.waiting.extend([core_s] * jobs)
        self.todo_s += jobs * core_s

    def lose(self, count):
        """Have nodes vanish; their jobs wait again."""
        for node in self.nodes[:count]:
            self.waiting.extend(left for left in node.left if left > 0)
        del self.nodes[:count]

    def step(self):
        self._decide()
        self._follow()
        self._work()
        self.at_s += STEP_S

    def _decide(self):
        done = Load(core_s=self.done_s)
        sums = Backlog(todo=Load(core_s=self.todo_s), done=done, spent_s=self.done_s / self.speed)
        self.rates = self.rates.with_sample(self.at_s, sums)
        demand = Demand(
            at_s=self.at_s,
            jobs=self.jobs,
            core_s=max(0.0, self.todo_s) if self.jobs else 0.0,
            arriving=self.rates.arriving,
            speed=self.speed if self.known else self.rates.speed,
            alive=self.alive,
        )
        self.target = decide(self.target, demand, self.limits)
        self.wanted.append(self.target.wanted)

    def _follow(self):
        for _ in range(self.target.wanted - len(self.nodes)):
            self.nodes.append(Node(self.at_s + self.limits.start_s, [0.0] * self.limits.node_cores))
        idle = [node for node in self.nodes if not any(left > 0 for left in node.left)]
        for node in idle[: max(0, len(self.nodes) - self.target.wanted)]:
            self.nodes.remove(node)

    def _work(self):
        """Have every core of the nodes that are wanted work on one job after another."""
        for number, node in enumerate(self.nodes):
            takes = number < self.target.wanted and node.ready_s <= self.at_s
            for core in range(len(node.left)):
                budget_s = STEP_S * self.speed
                while budget_s > 0 and (node.left[core] > 0 or (takes and self.waiting)):
                    left = node.left[core] or self.waiting.popleft()
                    done = min(left, budget_s)
                    budget_s -= done
                    node.left[core] = left - done
                    self.todo_s -= done
                    self.done_s += done
