"""Harris's corners: each rank's response, the strongest of the whole picture, and the marks above it."""

import math
from collections.abc import Iterator

import numpy as np
from mpi4py import MPI

from mpi_stage.collective.inner import carry_out
from mpi_stage.geometry.partition import Rows
from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.inner import inner_block_rows
from mpi_stage.operations.arithmetic.painting import paint
from mpi_stage.operations.declaring.values import number
from mpi_stage.operations.harris import RESPONSE, inner_halo, inner_steps
from mpi_stage.operations.index import find
from mpi_stage.operations.spelling.grammar import Step
from mpi_stage.planning.planned_steps import plan_steps
from mpi_stage.rows.context import GlobalStep
from mpi_stage.rows.slab import RowReader, Slab
from mpi_stage.sweep.sweep import blocks


def harris(step: GlobalStep) -> RowReader:
    """Return the response of this rank's rows, or the rows with their corners marked.

    The report gets the strongest response, which NaN does not take part in, and the number of marks.
    """
    steps = [Step(find(name), dict(params)) for name, params in inner_steps(step.params, step.before)]
    strongest = np.full(1, -np.inf, np.float32)

    def look(rows: Pixels) -> None:
        strongest[0] = np.fmax(strongest[0], np.fmax.reduce(rows, axis=None))

    response = carry_out(step, tuple(plan_steps(steps, step.before)), look)
    with step.context.clock.phase("wait"):
        step.context.comm.Allreduce(MPI.IN_PLACE, strongest, op=MPI.MAX)
    if math.isfinite(strongest[0]):
        step.found["strongest"] = float(strongest[0])
    if step.params["output"] == RESPONSE:
        return response
    marked = _MarkedRows(step, response, np.float64(number(step.params, "threshold") * float(strongest[0])))
    step.found["corners"] = marked.count()
    return marked


class _MarkedRows:
    """The rows of the picture with a mark wherever the response is above ``limit``."""

    def __init__(self, step: GlobalStep, response: Slab, limit: np.float64) -> None:
        self._step = step
        self._response = response
        self._limit = limit
        self._height = min(step.block_rows, inner_block_rows(step.before, inner_halo(step.params)))

    def count(self) -> int:
        """Return the number of marked pixels of all ranks."""
        marks = 0
        for _, rows in self._responses(self._step.rows):
            marks += int(np.count_nonzero(rows > self._limit))
        with self._step.context.clock.phase("wait"):
            return int(self._step.context.comm.allreduce(marks))

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the marked rows from ``first`` on."""
        self._step.reader.read_rows(first, out)
        with self._step.context.clock.phase("compute"):
            for row, response in self._responses(Rows(first, first + len(out))):
                paint(out[row - first :][: len(response)], response[..., 0] > self._limit)

    def _responses(self, rows: Rows) -> Iterator[tuple[int, Pixels]]:
        """Yield first row and responses of some rows, as many at once as went through the inner steps."""
        return blocks(self._response.spec, rows, self._response, self._height)
