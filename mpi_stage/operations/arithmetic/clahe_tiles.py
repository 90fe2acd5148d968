"""Where the tiles of ``clahe`` lie, what each pixel is mixed from, and each tile's table.

The grid, the clipping and all roundings are those of ``cv2.createCLAHE``: a picture that does not
divide into the tiles evenly is extended by mirrored rows below and columns at the right for the
histograms, by a whole number of tiles' sides where only the other side does not divide. Source of the
method: K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV (1994).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.borders import border_index
from mpi_stage.operations.declaring.declaration import Border


@dataclass(frozen=True)
class Run:
    """Neighbouring rows (or columns) that are mixed from the same two tiles.

    ``share`` is, for each, the part of the second tile, as float32.
    """

    start: int
    end: int
    tiles: tuple[int, int]
    share: Pixels


@dataclass(frozen=True)
class Axis:
    """One axis cut into tiles: ``source`` maps the extended axis to the picture's rows or columns."""

    length: int
    tiles: int
    source: Pixels

    @property
    def tile_px(self) -> int:
        """Rows or columns of a tile."""
        return len(self.source) // self.tiles

    def members(self, first: int, count: int) -> Iterator[tuple[int, Pixels]]:
        """Yield each tile that ``count`` rows from ``first`` on take part in, and these rows' numbers.

        A row that was mirrored into the extension is listed once more.
        """
        mirrored = self.source[self.length :]
        again = self.length + np.flatnonzero((mirrored >= first) & (mirrored < first + count))
        positions = np.concatenate([np.arange(first, first + count), again])
        tiles = positions // self.tile_px
        for tile in np.unique(tiles):
            yield int(tile), self.source[positions[tiles == tile]]

    def runs(self, first: int, count: int) -> Iterator[Run]:
        """Cut the rows (or columns) from ``first`` on into runs."""
        positions = np.arange(first, first + count).astype(np.float32)
        places = positions * (np.float32(1) / np.float32(self.tile_px)) - np.float32(0.5)
        before = np.floor(places)
        shares = places - before
        cuts = [0, *(np.flatnonzero(np.diff(before)) + 1).tolist(), count]
        for start, end in pairwise(cuts):
            tile = int(before[start])
            yield Run(start, end, (max(tile, 0), min(tile + 1, self.tiles - 1)), shares[start:end])


@dataclass(frozen=True)
class Grid:
    """The tiles of one picture."""

    rows: Axis
    columns: Axis

    @property
    def tile_pixels(self) -> int:
        """Pixels of a tile."""
        return self.rows.tile_px * self.columns.tile_px


@lru_cache(maxsize=4)
def grid(spec: ImageSpec, tiles: int) -> Grid:
    """Return the grid of ``tiles`` × ``tiles`` tiles over an image."""
    even = spec.rows % tiles == 0 and spec.columns % tiles == 0
    return Grid(*(_axis(length, tiles, even=even) for length in (spec.rows, spec.columns)))


def _axis(length: int, tiles: int, *, even: bool) -> Axis:
    extra = 0 if even else tiles - length % tiles
    return Axis(length, tiles, border_index(length, 0, extra, Border.MIRROR))


def table(counts: Pixels, clip: float, dtype: str) -> Pixels:
    """Return the new value of each bin of one tile.

    Integers as OpenCV rounds them, in float32. Floats are shares of the tile's finite values; a tile
    without any leaves the order of the values as it is.
    """
    bins = len(counts)
    total = int(counts.sum())
    if not total:
        return np.linspace(0, 1, bins, dtype=np.float32)
    if clip:
        counts = _clipped(counts, max(int(clip * total / bins), 1))
    sums = np.cumsum(counts).astype(np.float32)
    if dtype == "float32":
        return sums * (np.float32(1) / np.float32(total))
    values: Pixels = np.clip(np.rint(sums * (np.float32(bins - 1) / np.float32(total))), 0, bins - 1)
    return values.astype(dtype)


def _clipped(counts: Pixels, limit: int) -> Pixels:
    """Cut ``counts`` at ``limit`` and deal what was cut off to all bins, the rest to every n-th."""
    bins = len(counts)
    each, rest = divmod(int(np.maximum(counts - limit, 0).sum()), bins)
    dealt: Pixels = np.minimum(counts, limit) + each
    if rest:
        dealt[: rest * max(bins // rest, 1) : max(bins // rest, 1)] += 1
    return dealt
