"""Fills in what lies outside the image, on the device."""

import numpy as np

from gpu_kernels.backend import Backend
from gpu_kernels.layout import Room
from gpu_kernels.sources import C_TYPES, Code, code
from gpu_kernels.stencils import MAX_GRID_ROWS, THREADS, ceil
from gpu_kernels.step import Step

BORDER_TABLES = 3
"""Of at most two places for each row or column of the halo: beside the image, above and below it."""


def border_code(step: Step) -> Code:
    """Return the kernels that fill in the borders of a step."""
    dtype = C_TYPES[step.dtype]
    macros = {"T": dtype, "CHANNELS": step.channels, "ALPHA": 0, "WORDS": 1}
    return code("fill_columns fill_rows", "border", macros)


class Border:
    """The border of one stencil step."""

    def __init__(self, step: Step, room: Room, backend: Backend) -> None:
        """Prepare; ``room`` is how the step's rows lie."""
        if step.border is None:
            message = f"{step.name} looks at neighbours and has no border"
            raise ValueError(message)
        self._step = step
        self._room = room
        self._backend = backend
        self._code = border_code(step)
        self._fill = np.dtype(step.dtype).type(step.fill)
        halo = step.halo
        columns = step.border(step.columns)
        ends = np.concatenate([columns[:halo], columns[halo + step.columns :]])
        self._columns = backend.constant(ends.astype(np.int32))
        rows = step.border(step.rows)
        above, below = rows[:halo], rows[halo + step.rows :]
        self._above = backend.constant(above.astype(np.int32))
        self._below = backend.constant(below.astype(np.int32))

    def columns(self, address: int, first: int, rows: int) -> None:
        """Fill in both sides of rows that have come in at ``first``."""
        step, room = self._step, self._room
        width = 2 * step.halo * step.channels
        for start in range(first, first + rows, MAX_GRID_ROWS):
            count = min(MAX_GRID_ROWS, first + rows - start)
            size = (np.int32(count), np.int32(step.columns), np.int32(step.halo))
            arguments = [room.row(address, start), room.pitch, *size, self._columns, self._fill]
            self._backend.launch(
                self._code, "fill_columns", (ceil(width, THREADS), count), THREADS, arguments
            )

    def above(self, address: int, offset: int) -> None:
        """Make the first rows; row ``r`` of the image lies at ``r + offset``."""
        self._rows(address, 0, self._above, offset)

    def below(self, address: int, first: int, offset: int) -> None:
        """Make the rows from ``first`` on."""
        self._rows(address, first, self._below, offset)

    def _rows(self, address: int, first: int, index: int, offset: int) -> None:
        step, room = self._step, self._room
        values = (step.columns + 2 * step.halo) * step.channels
        size = (np.int32(first), np.int32(step.halo), np.int32(values), np.int32(offset))
        arguments = [room.left(address, 0), room.pitch, *size, index, self._fill]
        grid = (ceil(values, THREADS), step.halo)
        self._backend.launch(self._code, "fill_rows", grid, THREADS, arguments)
