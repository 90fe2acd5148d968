"""Joining what the ranks measured, the same for any number and order of them."""

from typing import Any

import numpy as np
from mpi4py import MPI

from mpi_stage.errors import PipelineError
from mpi_stage.image import Pixels
from mpi_stage.operations.declaring.declaration import Round
from mpi_stage.rows.context import RankContext

_OPERATORS = {"sum": MPI.SUM, "min": MPI.MIN, "max": MPI.MAX}


def join(context: RankContext, one: Round, state: Pixels) -> Any:  # noqa: ANN401  (any array)
    """Return the joined state of all ranks.

    Sums are of integers, minima and maxima of anything: all are independent of the order of ranks.
    """
    if one.combine == "sum" and not np.issubdtype(state.dtype, np.integer):
        raise PipelineError(f"a measuring round adds up {state.dtype}: only integers add up exactly")
    joined = np.ascontiguousarray(state)
    with context.clock.phase("wait"):
        context.comm.Allreduce(MPI.IN_PLACE, joined, op=_OPERATORS[one.combine])
    return joined
