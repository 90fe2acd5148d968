"""Changes of geometry: every rank makes its rows of the result from the few pixels each tile needs."""

from mpi_stage.collective.context import GlobalStep
from mpi_stage.collective.fetch import fetch
from mpi_stage.errors import PipelineError
from mpi_stage.image import Pixels
from mpi_stage.partition import Rows
from mpi_stage.slab import RowReader
from mpi_stage.window import Remap, Window


def geometry(step: GlobalStep) -> RowReader:
    """Return this rank's rows of the image after a step that moves pixels."""
    operation = step.operation
    if operation.remap is None:
        raise PipelineError(f"{operation.name} has no remap; its declaration is wrong")
    remap = operation.remap(step.params, step.before, step.after)
    if remap.rowwise and step.partition == step.after_partition:
        return Rowwise(step, remap)
    slab = step.slab(step.after, step.after_partition.slab(step.context.comm.rank))
    for tile, parts in fetch(step, remap):
        with step.context.clock.phase("compute"):
            made = remap.make(tile, parts)
        with step.context.clock.phase("write"):
            slab.write_window(tile, made)
        step.watch()
    return slab


class Rowwise:
    """Rows of the image after a step that leaves every row where it is: made when they are read."""

    def __init__(self, step: GlobalStep, remap: Remap) -> None:
        """Prepare to read the rows of ``step``."""
        self._step = step
        self._remap = remap

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on."""
        if not len(out):
            return
        rows = Rows(first, first + len(out))
        before = self._step.before.empty(len(out))
        self._step.reader.read_rows(first, before)
        tile = Window(rows, Rows(0, self._step.after.columns))
        windows = self._remap.windows(tile)
        parts = [before[_within(window.rows, first), _within(window.columns, 0)] for window in windows]
        with self._step.context.clock.phase("compute"):
            out[...] = self._remap.make(tile, parts)


def _within(places: Rows, origin: int) -> slice:
    return slice(places.first - origin, places.end - origin)
