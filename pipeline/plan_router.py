"""Moves a job from the single to the gang lane where its plan says that a world would pay."""

from collections.abc import Callable
from typing import Any

from mpi_stage.contract import Request
from mpi_stage.errors import LimitError
from pipeline.models import Lane, Manifest
from pipeline.routing import Capacity, ranks_for, route

PLAN_FROM_BYTES = 4 << 20
"""Smaller files are not planned twice: what they hold is done here in less time than a world's start."""

Planner = Callable[[Request], dict[str, Any]]


class PlanRouter:
    """Has a stage process plan the job for one rank, since it must read the file to do so."""

    def __init__(self, planner: Planner, capacity: Capacity) -> None:
        """Use ``planner`` to get a plan's JSON for one rank, and ``capacity`` for the cores there are."""
        self._planner = planner
        self._capacity = capacity

    def __call__(self, request: Request, manifest: Manifest) -> int | None:
        """Return the ranks that the job is to have in the gang lane, None to do it on one; see ``Router``."""
        alone = manifest.ranks is not None or self._capacity.cores < 2  # noqa: PLR2004  # a world has two
        if alone or manifest.input.size_bytes < PLAN_FROM_BYTES:
            return None
        try:
            plan = self._planner(request)
        except LimitError:
            # Too much for one rank; a world's ranks need less each, and say so if it is not enough.
            return self._capacity.cores
        pixels = int(plan["input"]["rows"]) * int(plan["input"]["columns"])
        cost_ns = float(plan["cost_core_s"]) * 1e9 / max(1, pixels)
        if route(pixels, cost_ns, bool(plan["divisible"]), self._capacity) is Lane.SINGLE:
            return None
        return ranks_for(pixels, cost_ns, self._capacity)
