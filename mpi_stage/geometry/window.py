"""Rectangles of an image, how an image is cut into tiles, and what a change of geometry declares."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mpi_stage.geometry.partition import Rows
from mpi_stage.image import ImageSpec, Pixels

TILE_BYTES = 2 << 20
"""A tile that spans whole rows has about this many bytes."""

SQUARE_VALUES = 3 << 16
"""Values of a tile where rows become columns: square, for it then needs a rectangle of like sides."""


class Window(NamedTuple):
    """The pixels in some rows and, of these, some columns (``columns`` counts like ``Rows``)."""

    rows: Rows
    columns: Rows

    @property
    def pixels(self) -> int:
        """How many pixels these are."""
        return self.rows.height * self.columns.height

    def holds(self, other: "Window") -> bool:
        """Whether another window is a part of this one."""
        return all(
            outer.first <= inner.first and inner.end <= outer.end
            for outer, inner in zip(self, other, strict=True)
        )


def all_of(spec: ImageSpec) -> Window:
    """Return the window that is all of an image."""
    return Window(Rows(0, spec.rows), Rows(0, spec.columns))


def piece(pixels: Pixels, at: Window, wanted: Window) -> Pixels:
    """Return the pixels of a window out of those (rows × columns × channels) of a larger one, ``at``."""
    rows, columns = (
        slice(inner.first - outer.first, inner.end - outer.first)
        for outer, inner in zip(at, wanted, strict=True)
    )
    return pixels[rows, columns]


@dataclass(frozen=True)
class Grid:
    """Tiles of ``height`` × ``width`` px that cut up the rows of a rank, ``columns`` px wide.

    With ``skewed`` a rank begins with the tile that lies as far to the right as its rows lie down, so
    that ranks whose tiles need the same rows of another rank ask for them at different times.
    """

    height: int
    width: int
    columns: int
    skewed: bool = False

    def count(self, rows: Rows) -> int:
        """Return how many tiles ``rows`` are cut into."""
        return -(-rows.height // self.height) * self._across

    def tile(self, rows: Rows, number: int) -> Window:
        """Return tile ``number`` of those that ``rows`` are cut into."""
        down, across = divmod(number, self._across)
        first = rows.first + down * self.height
        if self.skewed:
            across = (across + first // self.height) % self._across
        left = across * self.width
        return Window(
            Rows(first, min(first + self.height, rows.end)), Rows(left, min(left + self.width, self.columns))
        )

    @property
    def _across(self) -> int:
        return -(-self.columns // self.width)


def row_grid(before: ImageSpec, after: ImageSpec) -> Grid:
    """Return tiles of whole rows, a few MiB each, for a step that needs about a row for each row."""
    height = max(1, TILE_BYTES // max(before.row_bytes, after.row_bytes))
    return Grid(min(height, after.rows), after.columns, after.columns)


def square_grid(after: ImageSpec) -> Grid:
    """Return square tiles, for a step that turns rows into columns."""
    side = max(16, math.isqrt(SQUARE_VALUES // after.channels))
    return Grid(min(side, after.rows), min(side, after.columns), after.columns, skewed=True)


class Fetch(Protocol):
    """Gets pixels of the image before, for a remap."""

    def __call__(self, window: Window, into: Pixels | None = None) -> Pixels:
        """Return the pixels of a window that the tile needs, or of a part of one.

        They are in ``into`` if that is given, which may be a part of a larger array; else they lie
        somewhere else and must not be changed.
        """


class Remap(Protocol):
    """One change of geometry for one image: which pixels each tile of the result is made of.

    What is made of a pixel must depend on its absolute place alone, never on the tile it is in.
    ``rowwise``: row r of the result needs row r of the image before and no other. ``rereads``: the
    same rows are needed for many tiles, so that they had better lie in a slab.
    """

    @property
    def grid(self) -> Grid:
        """The tiles."""

    @property
    def rowwise(self) -> bool:
        """Whether no pixel leaves its row."""

    @property
    def rereads(self) -> bool:
        """Whether the rows of the image before are read again and again."""

    def windows(self, tile: Window) -> tuple[Window, ...]:
        """Return the pixels of the image before that a tile needs, the same number for equal tiles."""

    def make(self, tile: Window, fetch: Fetch, out: Pixels) -> None:
        """Fill ``out`` (rows × columns × channels, perhaps a part of a larger array) with the tile."""


READ_BYTES = 4 << 20
"""Whole rows are read in runs of about this size where only some of their columns are wanted."""


def read_by_rows(
    read_rows: Callable[[int, Pixels], None], spec: ImageSpec, window: Window, out: Pixels
) -> None:
    """Fill ``out``, of any strides, with the pixels of a window of an image whose rows can be read."""
    rows, columns = window
    if columns.height == spec.columns and out.flags.c_contiguous:
        read_rows(rows.first, out)
        return
    run = max(1, READ_BYTES // spec.row_bytes)
    buffer = spec.empty(min(run, rows.height))
    for first in range(rows.first, rows.end, run):
        whole = buffer[: min(run, rows.end - first)]
        read_rows(first, whole)
        out[first - rows.first :][: len(whole)] = whole[:, columns.first : columns.end]
