"""Moves a job from the single to the gang lane where its plan says that a world would pay."""

from dataclasses import dataclass

from mpi_stage.contract import Request
from pipeline.decisions.lane import LEAST_RANKS, Planner, routed
from pipeline.decisions.routing import Capacity
from pipeline.models import Lane, Load, Manifest

PLAN_FROM_BYTES = 4 << 20
"""Smaller files are not planned twice: what they hold is done here in less time than a world's start."""


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
        alone = manifest.ranks is not None or self._capacity.cores < LEAST_RANKS
        if alone or manifest.input.size_bytes < PLAN_FROM_BYTES:
            return None
        found = routed(self._planner, request, self._capacity)
        return None if found.lane is Lane.SINGLE else Move(found.ranks, found.load)
