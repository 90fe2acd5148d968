"""The levels at which an image is looked at: which of them are read, and of what; pure arithmetic.

At level ``factor``, a power of two, a pixel stands for ``factor`` × ``factor`` of the image's.
"""

from dataclasses import dataclass

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window

SMALL_PX = 2048
"""A reduced copy is at most so long, unless the levels between it and the image would take too much."""

MOST_READ_BYTES = 96 << 20
"""Of pixels that are read for one tile."""


@dataclass(frozen=True)
class Shape:
    """Columns and rows of an image, and the bytes of a pixel."""

    columns: int
    rows: int
    pixel_bytes: int

    def at(self, factor: int) -> tuple[int, int]:
        """Return columns and rows at a level."""
        return -(-self.columns // factor), -(-self.rows // factor)


def small_factor(shape: Shape, side_px: int) -> int:
    """Return the level of the reduced copy: all finer ones are read of the image itself."""
    factor = 1
    while max(shape.at(factor)) > SMALL_PX:
        if (2 * factor * side_px) ** 2 * shape.pixel_bytes > 2 * MOST_READ_BYTES:
            break
        factor *= 2
    return factor


def best_level(shape: Shape, levels: list[tuple[int, int]], factor: int) -> tuple[int, int]:
    """Return the level of a file's pyramid that a tile is made of, and by what it is reduced itself.

    ``levels`` are columns and rows of each. Only levels that are reduced by a power of two will do.
    """
    own = 1
    while own <= factor:
        own *= 2
    while own > 1:
        if shape.at(own) in levels and own <= factor:
            return levels.index(shape.at(own)), own
        own //= 2
    return 0, 1


def tile_window(size: tuple[int, int], ratio: int, place: tuple[int, int], side_px: int) -> Window:
    """Return the window of an image of ``size`` that makes a tile at a level ``ratio`` times smaller.

    ``place`` is the tile's, column and row. Raises ValueError where there is no such tile.
    """
    spans = []
    for number, length in zip(place, size, strict=True):
        first = number * side_px * ratio
        if number < 0 or first >= length:
            raise ValueError(f"there is no tile {place} in {size[0]} × {size[1]} px reduced {ratio} times")
        spans.append(Rows(first, min(length, first + side_px * ratio)))
    return Window(spans[1], spans[0])
