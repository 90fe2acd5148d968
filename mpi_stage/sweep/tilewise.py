"""A pass of point steps into plain tiles, without putting rows together.

Each pixel by itself makes one of the result, so tiles are read from a file with the same tiles, or made
by a change of geometry, then filtered, and written in the order in which they lie in the file. What is
beside the image in the last tiles is filled as a sink does.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from mpi_stage.formats.ports import TileLayout, TileSink, TileSource
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.planning.plan import Pass, PlannedStep
from mpi_stage.process.timing import PhaseClock
from mpi_stage.sweep.stream import PointStream

Tick = Callable[[int], None]

RUN_BYTES = 1 << 20
"""Of tiles that are read at once: they stay in cache until they are written."""


@runtime_checkable
class WindowMaker(Protocol):
    """Makes any window of an image; ``shared`` says that it can make those of other ranks' rows too."""

    shared: bool

    def make_window(self, window: Window, out: Pixels) -> None:
        """Fill ``out`` (of any strides) with the pixels of a window."""


class Tiled(NamedTuple):
    """An image by its tiles: what gives them, how they lie, and the image that they cover."""

    source: TileSource
    tiles: TileLayout
    spec: ImageSpec

    def window(self, number: int) -> Window:
        """Return which pixels of the image are in a tile."""
        return _window(self.tiles, self.spec, number)


class _MadeTiles:
    """Tiles of an image that is made window by window; a ``TileSource``."""

    def __init__(self, maker: WindowMaker, spec: ImageSpec, tiles: TileLayout) -> None:
        self._maker, self._spec, self.tiles = maker, spec, tiles

    def read_tiles(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with tiles from number ``first`` on; what is beside the image stays as it is."""
        for number, tile in enumerate(out, first):
            window = _window(self.tiles, self._spec, number)
            self._maker.make_window(window, tile[: window.rows.height, : window.columns.height])


def tiles_between(one: Pass, reader: object, sink: TileSink) -> Tiled | None:
    """Return the tiles in which a pass can go from ``reader`` to ``sink``; None where it needs rows."""
    tiles = sink.tiles
    if tiles is None or one.gpu is not None or not all(map(_looks_at_one_pixel, one.steps)):
        return None
    if isinstance(reader, WindowMaker):
        return Tiled(_MadeTiles(reader, one.before, tiles), tiles, one.before) if reader.shared else None
    if isinstance(reader, TileSource) and reader.tiles == tiles:
        return Tiled(reader, tiles, one.before)
    return None


def tiles_to_measure(step: PlannedStep, reader: object) -> Tiled | None:
    """Return the tiles by which a reduce step can be measured; None where it needs rows."""
    tiles = reader.tiles if isinstance(reader, TileSource) else None
    if tiles is None or not isinstance(reader, TileSource) or not _looks_at_one_pixel(step):
        return None
    return Tiled(reader, tiles, step.before)


def _looks_at_one_pixel(step: PlannedStep) -> bool:
    """Whether a step makes of a pixel the same wherever it is, and in whatever rows."""
    operation = step.operation
    if step.before.dtype in operation.row_bound:
        return False
    return operation.point is not None or (operation.reduction is not None and not operation.reduction.placed)


def sweep_tiles(
    one: Pass,
    image: Tiled,
    sink: TileSink,
    slab: Rows,
    *,
    measured: Sequence[Any],
    clock: PhaseClock,
    tick: Tick,
) -> None:
    """Send the tiles whose first row lies in ``slab`` through the steps of a pass and into ``sink``.

    ``tick(rows)`` is called now and then, in all for as many rows as the slab has.
    """
    streams = [
        PointStream(step, None if step.applies is None else measured[step.applies], 0) for step in one.steps
    ]
    for number, stored in _runs(image, slab, tick):
        with clock.phase("compute"):
            made = _filtered(streams, stored)
            for place, tile in enumerate(made, number):
                _fill_beside(tile, image.window(place))
        sink.write_tiles(number, made)


def rows_of(image: Tiled, slab: Rows, tick: Tick) -> Iterator[Pixels]:
    """Yield all pixels of the tiles whose first row lies in ``slab``, as rows of no particular place."""
    tiles, spec = image.tiles, image.spec
    for first, stored in _runs(image, slab, tick):
        if spec.rows % tiles.height == 0 and spec.columns % tiles.width == 0:
            yield stored.reshape(-1, *stored.shape[2:])
            continue
        for number, tile in enumerate(stored, first):
            rows, columns = image.window(number)
            yield np.ascontiguousarray(tile[: rows.height, : columns.height])


def _runs(image: Tiled, slab: Rows, tick: Tick) -> Iterator[tuple[int, Pixels]]:
    """Yield number and pixels of a few tiles at a time, in memory that is used again."""
    source, tiles, spec = image
    first, end = (-(-row // tiles.height) * tiles.across for row in slab)
    shape = (tiles.height, tiles.width, spec.channels)
    most = max(1, RUN_BYTES // (spec.itemsize * math.prod(shape)))
    buffer = np.zeros((min(most, end - first), *shape), spec.dtype)
    told = 0
    for number in range(first, end, most):
        stored = buffer[: min(most, end - number)]
        source.read_tiles(number, stored)
        yield number, stored
        done = slab.height * (number + len(stored) - first) // (end - first)
        tick(done - told)
        told = done
    tick(slab.height - told)


def _window(tiles: TileLayout, spec: ImageSpec, number: int) -> Window:
    """Return which pixels of an image are in a tile."""
    down, across = divmod(number, tiles.across)
    top, left = down * tiles.height, across * tiles.width
    rows = Rows(top, min(top + tiles.height, spec.rows))
    return Window(rows, Rows(left, min(left + tiles.width, spec.columns)))


def _filtered(streams: Sequence[PointStream], stored: Pixels) -> Pixels:
    """Return tiles with every pixel filtered."""
    rows = stored.reshape(-1, *stored.shape[2:])
    for stream in streams:
        rows = next(iter(stream.push(rows)))
    return np.ascontiguousarray(rows).reshape(*stored.shape[:3], -1)


def _fill_beside(tile: Pixels, window: Window) -> None:
    """Repeat the image's last column and row in what a tile has beside it."""
    rows, columns = window.rows.height, window.columns.height
    if columns < tile.shape[1]:
        tile[:, columns:] = tile[:, columns - 1 : columns]
    if rows < tile.shape[0]:
        tile[rows:] = tile[rows - 1]
