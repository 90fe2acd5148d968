"""Straight lines of the whole picture: each rank counts its edges' votes, and the counts are added up.

The edges are those of ``canny``, found by its own stencils and its own collective inside this step.
No rank holds more than a band of the accumulator: where that is large, the edges, kept as one bit for
each pixel, are looked at once for each band.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from mpi_stage.collective.hysteresis import hysteresis
from mpi_stage.collective.inner import carry_out
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.hough_draw import draw_line
from mpi_stage.operations.arithmetic.hough_votes import Grid, Line, best
from mpi_stage.operations.declaring.values import integer, number
from mpi_stage.operations.hough import (
    EDGES_AT_ONCE,
    LABELLED_PIXELS,
    SEEN_PIXELS,
    band_angles,
    edge_params,
    rows_of,
)
from mpi_stage.operations.spelling.grammar import make_step
from mpi_stage.planning.planned_steps import plan_steps
from mpi_stage.rows.context import GlobalStep
from mpi_stage.sweep.sweep import blocks

ReadRows = Callable[[int, Pixels], None]
Places = tuple[NDArray[np.intp], NDArray[np.intp]]


def hough(step: GlobalStep) -> "DrawnRows":
    """Return a reader of the rows with the lines over them; the report gets the lines, best first."""
    edges = _Edges(step)
    lines = _lines(step, edges)
    edges.close()
    step.found["lines"] = [{"rho": one.rho, "theta": one.theta, "votes": one.votes} for one in lines]
    return DrawnRows(step, lines)


class DrawnRows:
    """The rows of the picture with lines over them, the weakest drawn first."""

    def __init__(self, step: GlobalStep, lines: list[Line]) -> None:
        """Prepare to draw ``lines`` over the rows of ``step``."""
        self._step = step
        self._lines = lines

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on."""
        self._step.reader.read_rows(first, out)
        with self._step.context.clock.phase("compute"):
            for line in self._lines:
                draw_line(out, first, line)


class _Edges:
    """The edge pixels of this rank, one bit each."""

    def __init__(self, step: GlobalStep) -> None:
        self._step = step
        spec = step.before
        self._height = min(rows_of(SEEN_PIXELS, spec), step.block_rows)
        self._bits = ImageSpec(spec.rows, -(-spec.columns // 8), 1, "uint8")
        self._slab = step.slab(self._bits, step.rows)
        canny = make_step("canny", edge_params(step.params))
        *inner, last = plan_steps([canny], spec)
        levels = carry_out(step, inner)
        whole = replace(
            step,
            reader=levels,
            before=last.before,
            after=last.after,
            params=canny.params,
            operation=canny.operation,
            block_rows=rows_of(LABELLED_PIXELS, spec),
            found={},
        )
        self._pack(hysteresis(whole).read_rows, last.after)
        levels.close()

    def places(self) -> Iterator[Places]:
        """Yield the rows and columns of the edge pixels, in portions."""
        held: list[Places] = []
        for first, bits in blocks(self._bits, self._step.rows, self._slab, self._height):
            edges = np.unpackbits(bits[..., 0], axis=1, count=self._step.before.columns)
            rows, columns = np.nonzero(edges)
            held.append((rows + first, columns))
            if sum(len(one) for one, _ in held) >= EDGES_AT_ONCE:
                yield _joined(held)
                held.clear()
            self._step.watch()
        if held:
            yield _joined(held)

    def close(self) -> None:
        """Give the room back."""
        self._slab.close()

    def _pack(self, read_rows: ReadRows, spec: ImageSpec) -> None:
        rows = spec.empty(self._height)
        for first in range(self._step.rows.first, self._step.rows.end, self._height):
            part = rows[: min(self._height, self._step.rows.end - first)]
            read_rows(first, part)
            self._slab.write_rows(first, np.packbits(part[..., 0] != 0, axis=1)[..., np.newaxis])
            self._step.watch()


def _joined(places: list[Places]) -> Places:
    return np.concatenate([rows for rows, _ in places]), np.concatenate([columns for _, columns in places])


def _lines(step: GlobalStep, edges: _Edges) -> list[Line]:
    """Return the best lines of the whole picture; the same on every rank."""
    spec, params = step.before, step.params
    grid = Grid(spec.rows, spec.columns, number(params, "rho"), np.radians(number(params, "theta_degrees")))
    threshold, most = integer(params, "threshold"), integer(params, "max_lines")
    height = band_angles(grid.distances)
    found = np.zeros((0, 2), np.int64)
    for first in range(0, grid.angles, height):
        # A peak is compared with the angles before and after: one more at either end.
        start, end = first - 1, min(first + height, grid.angles) + 1
        votes = grid.empty(start, end)
        for rows, columns in edges.places():
            with step.context.clock.phase("compute"):
                grid.vote(votes, start, rows, columns)
        with step.context.clock.phase("wait"):
            step.context.comm.Allreduce(MPI.IN_PLACE, votes, op=MPI.SUM)
        step.watch()
        with step.context.clock.phase("compute"):
            found = best(np.concatenate([found, grid.peaks(votes, start, threshold, most)]), most)
    return [grid.line(votes, place) for votes, place in found.tolist()]
