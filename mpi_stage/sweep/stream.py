"""Steps as streams of rows: rows are pushed in, filtered rows come out, in order, in cache.

Each stencil step keeps the last ``2 · halo`` rows that it got, so that every row is filtered once
however many steps are fused, and rows outside the image are made from what *that step* gets, as a
whole-image call of each step would see them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from mpi_stage.errors import PipelineError
from mpi_stage.geometry.partition import Rows
from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.borders import OUTSIDE, ColumnBorder, inside
from mpi_stage.operations.declaring.declaration import Measured, Reduction
from mpi_stage.planning.plan import PlannedStep

Emit = Callable[[Pixels], None]

Room = Callable[[int], Pixels | None]
"""Gives memory for so many rows, from which they are then taken without a copy; None where there is none."""


def _no_room(_rows: int) -> None:
    """Give nothing: whoever gets the rows takes them from where they are."""


class RowStream(Protocol):
    """A step that rows go through.

    ``beyond`` is the room of the step that follows, for results that are at once put where they go.
    """

    beyond: Room

    def room(self, rows: int) -> Pixels | None:
        """Return memory for the next ``rows`` rows, whose own rows may lie apart; they are pushed next."""

    def push(self, rows: Pixels) -> Iterator[Pixels]:
        """Take the next rows and yield those that are ready; each yield is used before the next."""

    def finish(self) -> Iterator[Pixels]:
        """Yield the rows that were held back; nothing is pushed afterwards."""


class PointStream:
    """A step that looks at one pixel at a time."""

    def __init__(self, step: PlannedStep, measured: Measured, first_row: int) -> None:
        """Prepare for the virtual rows from ``first_row`` on.

        ``measured`` is what the reduce step of which this is the second half found.
        """
        self._step = step
        self._measured = measured
        self._row = first_row
        self.beyond: Room = _no_room

    def room(self, rows: int) -> None:
        """Return nothing: no row is kept."""

    def push(self, rows: Pixels) -> Iterator[Pixels]:
        """Yield the filtered rows."""
        if not self._step.keeps_alpha:
            yield self._filter(rows)
            return
        colour = self._filter(np.ascontiguousarray(rows[..., :-1]))
        yield np.concatenate([colour, rows[..., -1:]], axis=2)

    def finish(self) -> Iterator[Pixels]:
        """Yield nothing: no row is held back."""
        yield from ()

    def _filter(self, rows: Pixels) -> Pixels:
        operation, params = self._step.operation, self._step.step.params
        if operation.reduction is not None:
            return self._apply(rows, operation.reduction)
        if operation.into is not None and not self._step.keeps_alpha:
            out = self.beyond(len(rows))
            if out is not None and operation.into(rows, params, out):
                return out
        if operation.point is None:
            raise PipelineError(f"{operation.name} is no point operation; its declaration is wrong")
        return operation.point(rows, params)

    def _apply(self, rows: Pixels, reduction: Reduction) -> Pixels:
        """Return the rows with what was measured applied; virtual rows are numbered as the image's."""
        height, parts = self._step.before.rows, []
        while len(rows):
            row = self._row % height
            part, rows = rows[: height - row], rows[height - row :]
            parts.append(reduction.apply(part, row, self._step.step.params, self._measured))
            self._row += len(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class StencilStream:
    """A step that looks at ``halo`` rows and columns on each side."""

    def __init__(self, step: PlannedStep, arriving: Rows, block_rows: int, *, periodic: bool) -> None:
        """Prepare for the virtual rows ``arriving``; at most ``block_rows`` are filtered at once.

        Where ``arriving`` begins or ends with the image's first or last row and the pass is not
        periodic, the border is made here; elsewhere the first and last ``halo`` rows only serve as
        neighbours.
        """
        self._step = step
        self._halo = step.halo
        self._image_rows = step.before.rows
        self._block_rows = block_rows
        self._at_top = not periodic and arriving.first == 0
        self._at_bottom = not periodic and arriving.end == self._image_rows
        spec = step.kernel_spec
        self._columns = slice(self._halo, self._halo + spec.columns)
        height = block_rows + 3 * self._halo
        self._padded = np.empty((height, spec.columns + 2 * self._halo, spec.channels), spec.dtype)
        self._alpha = np.empty((height, spec.columns, 1), spec.dtype) if step.keeps_alpha else None
        self._border = ColumnBorder(spec.columns, self._halo, step.border, step.fill)
        self._filled = self._halo if self._at_top else 0
        self._next_row = arriving.first
        self._primed = not self._at_top
        self._lent: Pixels | None = None
        self.beyond: Room = _no_room

    def room(self, rows: int) -> Pixels | None:
        """Return the place where the next rows belong."""
        if rows > self._block_rows or self._alpha is not None:
            return None
        self._lent = self._padded[self._filled : self._filled + rows, self._columns]
        return self._lent

    def push(self, rows: Pixels) -> Iterator[Pixels]:
        """Take rows, and yield filtered ones ``halo`` rows behind."""
        for start in range(0, len(rows), self._block_rows):
            self._append(rows if len(rows) <= self._block_rows else rows[start : start + self._block_rows])
            if not self._primed and self._filled > 2 * self._halo:
                self._extend_up()
            if self._primed and not self._is_last():
                yield from self._emit()

    def _is_last(self) -> bool:
        """Whether what has arrived can be filtered together with the rows below the image: in one go."""
        return (
            self._at_bottom
            and self._next_row == self._image_rows
            and self._filled <= (self._block_rows + self._halo)
        )

    def finish(self) -> Iterator[Pixels]:
        """Make the rows below the image, if it ends here, and yield what is left."""
        if not self._primed:
            self._extend_up()
        if self._at_bottom:
            self._extend_down()
        yield from self._emit()

    def _append(self, rows: Pixels) -> None:
        end = self._filled + len(rows)
        target = self._padded[self._filled : end]
        if self._alpha is None:
            if rows is not self._lent:
                target[:, self._columns] = rows
            self._lent = None
        else:
            target[:, self._columns] = rows[..., :-1]
            self._alpha[self._filled : end] = rows[..., -1:]
        self._border.fill(target)
        self._filled = end
        self._next_row += len(rows)

    def _extend_up(self) -> None:
        """Make the rows above the image from those that have arrived."""
        above = np.arange(-self._halo, 0, dtype=np.intp)
        self._make_rows(0, inside(above, self._image_rows, self._step.border))
        self._primed = True

    def _extend_down(self) -> None:
        """Make the rows below the image."""
        below = np.arange(self._image_rows, self._image_rows + self._halo, dtype=np.intp)
        self._make_rows(self._filled, inside(below, self._image_rows, self._step.border))
        self._filled += self._halo

    def _make_rows(self, first: int, index: np.ndarray[Any, np.dtype[np.intp]]) -> None:
        """Set the buffer's rows from ``first`` on to the image's rows ``index``, or to the fill value."""
        offset = self._filled - self._next_row
        for position, row in enumerate(index, first):
            self._padded[position] = self._step.fill if row == OUTSIDE else self._padded[row + offset]

    def _emit(self) -> Iterator[Pixels]:
        ready = self._filled - 2 * self._halo
        if ready <= 0:
            return
        rows = self._filter(self._padded[: self._filled], ready)
        if self._alpha is not None:
            alpha = self._alpha[self._halo : self._halo + ready]
            rows = np.concatenate([rows, alpha], axis=2)
        yield rows
        self._keep(ready)

    def _keep(self, ready: int) -> None:
        """Move the last ``2 · halo`` rows to the front."""
        kept = slice(ready, self._filled)
        self._filled -= ready
        self._padded[: self._filled] = self._padded[kept]
        if self._alpha is not None:
            self._alpha[: self._filled] = self._alpha[kept]

    def _filter(self, padded: Pixels, ready: int) -> Pixels:
        kernel, into = self._step.operation.stencil, self._step.operation.into
        if kernel is None:
            raise PipelineError(
                f"{self._step.operation.name} has no stencil kernel; its declaration is wrong"
            )
        masked, nodata = self._step.operation.masked, self._step.nodata
        if masked is not None and nodata is not None:
            return masked(padded, self._step.step.params, nodata)
        if into is not None and self._alpha is None:
            out = self.beyond(ready)
            if out is not None and into(padded, self._step.step.params, out):
                return out
        return kernel(padded, self._step.step.params)


class Chain:
    """The fused steps of a pass for one rank: rows in at one end, rows of its slab out at the other."""

    def __init__(
        self,
        steps: Sequence[PlannedStep],
        arriving: Rows,
        slab: Rows,
        block_rows: int,
        *,
        periodic: bool,
        measured: Sequence[Measured],
    ) -> None:
        """Prepare for the virtual rows ``arriving``; exactly the rows of ``slab`` come out."""
        self._streams: list[RowStream] = []
        self._slab = slab
        for step in steps:
            if step.halo:
                self._streams.append(StencilStream(step, arriving, block_rows, periodic=periodic))
                arriving = _leaving(arriving, step, periodic=periodic)
            else:
                found = None if step.applies is None else measured[step.applies]
                self._streams.append(_pointwise(step, found, arriving, block_rows))
        for stream, following in pairwise(self._streams):
            stream.beyond = following.room
        self._row = arriving.first

    def push(self, rows: Pixels, emit: Emit) -> None:
        """Send rows through; ``emit`` gets the slab's rows, in order, as they are ready."""
        if len(rows):
            self._push(0, rows, emit)

    def first_room(self, rows: int) -> Pixels | None:
        """Return memory for the next rows of the first step; their own rows may lie apart."""
        return self._streams[0].room(rows) if self._streams else None

    def finish(self, emit: Emit) -> None:
        """Bring out all that the steps hold back."""
        for number, stream in enumerate(self._streams):
            for rows in stream.finish():
                self._push(number + 1, rows, emit)

    def _push(self, number: int, rows: Pixels, emit: Emit) -> None:
        if number < len(self._streams):
            for ready in self._streams[number].push(rows):
                self._push(number + 1, ready, emit)
            return
        first = max(self._row, self._slab.first) - self._row
        end = min(self._row + len(rows), self._slab.end) - self._row
        self._row += len(rows)
        if first < end:
            emit(rows[first:end])


def _pointwise(step: PlannedStep, found: Measured, arriving: Rows, block_rows: int) -> RowStream:
    """Return the stream of a step without halo rows; a stencil of one pixel is one too."""
    if step.operation.stencil is not None:
        return StencilStream(step, arriving, block_rows, periodic=True)
    return PointStream(step, found, arriving.first)


def _leaving(arriving: Rows, step: PlannedStep, *, periodic: bool) -> Rows:
    """Return the rows that leave a stencil step that gets ``arriving``."""
    at_top = not periodic and arriving.first == 0
    at_bottom = not periodic and arriving.end == step.before.rows
    first = arriving.first if at_top else arriving.first + step.halo
    end = arriving.end if at_bottom else arriving.end - step.halo
    return Rows(first, max(first, end))
