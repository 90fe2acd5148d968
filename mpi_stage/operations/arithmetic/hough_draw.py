"""Straight lines over a picture, each pixel by itself, so that the rows may be drawn in any portions."""

import math

import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.hough_votes import Line
from mpi_stage.operations.arithmetic.painting import paint

_LEVEL = 1e-6
_MARGIN_PX = 2


def draw_line(pixels: Pixels, first_row: int, line: Line) -> None:
    """Draw a line over rows of a picture, in place; the first of them is row ``first_row``.

    A line gets one pixel in each row if it is rather upright, else one in each column: the one whose
    centre is nearest.
    """
    across, down = math.cos(line.theta), math.sin(line.theta)
    if abs(across) > abs(down):
        rows = np.arange(first_row, first_row + len(pixels))
        columns = np.floor((line.rho - rows * down) / across + 0.5)
    else:
        columns = np.arange(*_reach(pixels, first_row, line.rho, across, down), dtype=np.float64)
        rows = np.floor((line.rho - columns * across) / down + 0.5)
    inside = (rows >= first_row) & (rows < first_row + len(pixels))
    inside &= (columns >= 0) & (columns < pixels.shape[1])
    paint(pixels, (rows[inside].astype(np.intp) - first_row, columns[inside].astype(np.intp)))


def _reach(pixels: Pixels, first_row: int, rho: float, across: float, down: float) -> tuple[int, int]:
    """Return the columns within which a line crosses the rows, and some more."""
    width = pixels.shape[1]
    if abs(across) < _LEVEL:
        return 0, width
    ends = [(rho - row * down) / across for row in (first_row - 1, first_row + len(pixels))]
    first = math.floor(min(ends)) - _MARGIN_PX
    return min(max(first, 0), width), min(max(math.ceil(max(ends)) + _MARGIN_PX, 0), width)
