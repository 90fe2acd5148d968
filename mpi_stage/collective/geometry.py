"""Changes of geometry: every rank makes its rows of the result from the few pixels each tile needs."""

from collections.abc import Sequence

import numpy as np

from mpi_stage.collective.fetch import fetch, read_window
from mpi_stage.errors import PipelineError
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Remap, Window, piece
from mpi_stage.image import Pixels
from mpi_stage.rows.context import GlobalStep
from mpi_stage.rows.slab import RowReader, Slab


def geometry(step: GlobalStep) -> RowReader:
    """Return this rank's rows of the image after a step that moves pixels.

    Where a rank can read by itself all that its rows are made of, they are made when they are read;
    otherwise the ranks send each other what they need, and the rows made of it lie in a slab.
    """
    operation = step.operation
    if operation.remap is None:
        raise PipelineError(f"{operation.name} has no remap; its declaration is wrong")
    remap = operation.remap(step.params, step.before, step.after)
    if not step.travels:
        return MovedRows(step, remap, shared=step.shared)
    slab = step.slab(step.after, step.after_partition.slab(step.context.comm.rank))
    for tile, parts in fetch(step, remap):
        with step.context.clock.phase("compute"):
            _make(remap, tile, parts, slab)
        step.watch()
    return slab


def _make(remap: Remap, tile: Window, parts: Sequence[tuple[Window, Pixels]], slab: Slab) -> None:
    """Make one tile of a slab from pixels that have arrived."""

    def take(window: Window, into: Pixels | None = None) -> Pixels:
        pixels = next(piece(pixels, there, window) for there, pixels in parts if there.holds(window))
        if into is None:
            return pixels
        into[...] = pixels
        return into

    out = slab.view(tile)
    if out is not None:
        remap.make(tile, take, out)
        return
    made = np.empty((tile.rows.height, tile.columns.height, slab.spec.channels), slab.spec.dtype)
    remap.make(tile, take, made)
    slab.write_window(tile, made)


class MovedRows:
    """Rows of the image after a step that moves pixels: made when they are read.

    Attributes
    ----------
    shared: whether the rows of other ranks can be read too.

    """

    def __init__(self, step: GlobalStep, remap: Remap, *, shared: bool) -> None:
        """Prepare to read the rows of ``step``."""
        self.shared = shared
        self._step = step
        self._remap = remap

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on."""
        rows, grid = Rows(first, first + len(out)), self._remap.grid
        for number in range(grid.count(rows)):
            tile = grid.tile(rows, number)
            part = out[tile.rows.first - first : tile.rows.end - first]
            with self._step.context.clock.phase("compute"):
                self._remap.make(tile, self._fetch, part[:, tile.columns.first : tile.columns.end])

    def make_window(self, window: Window, out: Pixels) -> None:
        """Fill ``out`` (of any strides) with the pixels of a window of the image after."""
        with self._step.context.clock.phase("compute"):
            self._remap.make(window, self._fetch, out)

    def _fetch(self, window: Window, into: Pixels | None = None) -> Pixels:
        reader, before = self._step.reader, self._step.before
        if into is None and isinstance(reader, Slab):
            pixels = reader.view(window)
            if pixels is not None:
                return pixels
        if into is None:
            shape = (window.rows.height, window.columns.height, before.channels)
            into = np.empty(shape, before.dtype)
        read_window(reader, self._step, window, into)
        return into
