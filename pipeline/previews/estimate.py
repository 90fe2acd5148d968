"""What a job will take, by the plan and the routing that it will have; pure but for the planning itself."""

from dataclasses import dataclass
from typing import Any

from mpi_stage.contract import Request
from pipeline.decisions.lane import Planner, routed
from pipeline.decisions.routing import Capacity, alone_s
from pipeline.models import Lane

_HOUR_S = 3600.0


@dataclass(frozen=True)
class Estimate:
    """A plan, as JSON, for the ranks that a job would get; and the lane where it would get them."""

    plan: dict[str, Any]
    lane: Lane

    @property
    def ranks(self) -> int:
        """Ranks of the world."""
        return int(self.plan["ranks"])

    @property
    def seconds(self) -> float:
        """About how long it takes from its beginning."""
        return float(self.plan["forecast"]["seconds"])

    @property
    def core_s(self) -> float:
        """Core-seconds of work."""
        return alone_s(self.plan)

    def price(self, core_hour: float) -> float:
        """Return what it costs where an hour of a core costs ``core_hour``."""
        return self.core_s / _HOUR_S * core_hour


def estimate(plan: Planner, request: Request, capacity: Capacity) -> Estimate:
    """Return the plan by which the service would carry out a request.

    Raises the stage's errors: LimitError where not even all cores' memory would do.
    """
    found = routed(plan, request, capacity)
    done = int(found.plan["ranks"]) == found.ranks
    return Estimate(found.plan if done else plan(request, found.ranks), found.lane)
