"""Moves a job from the single to the gang lane where its plan says that a world would pay."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpi_stage.contract import Request
from mpi_stage.errors import BudgetError, ExhaustedError, LimitError
from pipeline.decisions.load import planned
from pipeline.decisions.routing import Capacity, ranks_for, route
from pipeline.models import Lane, Load, Manifest

PLAN_FROM_BYTES = 4 << 20
"""Smaller files are not planned twice: what they hold is done here in less time than a world's start."""

Planner = Callable[[Request, int], dict[str, Any]]
"""Returns the plan of a request for so many ranks, as JSON."""


@dataclass(frozen=True)
class Move:
    """A job's way into the gang lane: the ranks that it is to have there, and how much work it is."""

    ranks: int
    load: Load


class PlanRouter:
    """Has a stage process plan the job for one rank, since it must read the file to do so."""

    def __init__(self, planner: Planner, capacity: Capacity) -> None:
        """Use ``planner`` to get plans, and ``capacity`` for the cores there are, or may be."""
        self._planner = planner
        self._capacity = capacity

    def __call__(self, request: Request, manifest: Manifest) -> Move | None:
        """Return the job's way into the gang lane, None to do it on one rank; see ``Router``.

        Raises LimitError where even a world of all cores would be too small, before one is asked for.
        """
        alone = manifest.ranks is not None or self._capacity.cores < 2  # noqa: PLR2004  # a world has two
        if alone or manifest.input.size_bytes < PLAN_FROM_BYTES:
            return None
        try:
            plan = self._planner(request, 1)
        except (BudgetError, ExhaustedError):
            raise
        except LimitError:
            # Too much for one rank; a world's ranks need less each.
            cores = self._capacity.cores
            return Move(cores, planned(self._planner(request, cores)))
        load = planned(plan)
        cost_ns = float(plan["cost_core_s"]) * 1e9 / max(1, load.pixels)
        if route(load.pixels, cost_ns, bool(plan["divisible"]), self._capacity) is Lane.SINGLE:
            return None
        return Move(ranks_for(load.pixels, cost_ns, self._capacity), load)
