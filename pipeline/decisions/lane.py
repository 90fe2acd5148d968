"""Which lane a request belongs to, by its plans: how it is decided for jobs, and told of beforehand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpi_stage.contract import Request
from mpi_stage.errors import BudgetError, ExhaustedError, LimitError
from pipeline.decisions.load import planned
from pipeline.decisions.routing import Capacity, ranks_for, route
from pipeline.models import Lane, Load

LEAST_RANKS = 2
"""Of a world."""

Planner = Callable[[Request, int], dict[str, Any]]
"""Returns the plan of a request for so many ranks, as JSON."""


@dataclass(frozen=True)
class Routed:
    """A lane, the ranks that a request is to have there, and the plan by which that was decided, as JSON."""

    lane: Lane
    ranks: int
    plan: dict[str, Any]

    @property
    def load(self) -> Load:
        """How much work it is."""
        return planned(self.plan)


def routed(planner: Planner, request: Request, capacity: Capacity) -> Routed:
    """Return where a request belongs.

    Raises the stage's errors: LimitError where not even the memory of all cores would do.
    """
    try:
        plan = planner(request, 1)
    except (BudgetError, ExhaustedError):
        raise
    except LimitError:
        # Too much for one rank; a world's ranks need less each.
        if capacity.cores < LEAST_RANKS:
            raise
        return Routed(Lane.GANG, capacity.cores, planner(request, capacity.cores))
    pixels = planned(plan).pixels
    cost_ns = float(plan["cost_core_s"]) * 1e9 / max(1, pixels)
    lane = route(pixels, cost_ns, bool(plan["divisible"]), capacity)
    return Routed(lane, 1 if lane is Lane.SINGLE else ranks_for(pixels, cost_ns, capacity), plan)
