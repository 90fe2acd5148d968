"""Rows of a Zarr image; each rank reads only the chunks that hold its rows."""

import itertools
import math
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait

import numpy as np

from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.formats.zarr.chunks import ChunkFinder, Place, Stored, shards_across
from mpi_stage.formats.zarr.codecs import decode_chunk
from mpi_stage.formats.zarr.header import parse_zarr
from mpi_stage.formats.zarr.tree import Tree
from mpi_stage.image import Pixels
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.timing import PhaseClock

IN_FLIGHT = 32
"""Chunks that are on their way while others are decoded."""


class ZarrSource:
    """A source on one level and plane of a Zarr image.

    The engine reads one block after another, lower than a chunk: the last row of chunks is kept.
    """

    def __init__(
        self,
        tree: Tree,
        clock: PhaseClock,
        *,
        level: int = 0,
        indices: Mapping[str, int] | None = None,
        threads: int = 1,
    ) -> None:
        """Open what ``tree`` holds, and close it in the end; raises the errors of :func:`parse_zarr`."""
        self._tree = tree
        self._clock = clock
        try:
            image = parse_zarr(self._tree, level=level, indices=indices, threads=threads)
        except BaseException:
            self._tree.close()
            raise
        self.header = image.header
        self._array, self._axes = image.array, image.axes
        self._finder = ChunkFinder(self._tree, self._array, shards_across(self._array, self._axes.y))
        self._pool = TilePool(threads)
        self._mine = threading.local()
        self._kept: Pixels | None = None
        self._kept_down = -1

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on; raises DamagedInputError."""
        rows, last = self.header.spec.rows, first + len(out)
        if first < 0 or last > rows:
            raise IndexError(f"rows {first} to {last} of {rows} were asked for")
        with LIMITS.decoding(self.header.row_unit * self.header.spec.row_bytes + out.nbytes):
            self._read_rows(first, last, out)

    def _read_rows(self, first: int, last: int, out: Pixels) -> None:
        rows, height = self.header.spec.rows, self._array.chunk[self._axes.y]
        for down in range(first // height, -(-last // height)):
            top, bottom = max(first, down * height), min(last, (down + 1) * height)
            part = out[top - first : bottom - first]
            if len(part) == min(height, rows - down * height) and down != self._kept_down:
                self._decode_across(down, part)
            else:
                part[:] = self._keep(down)[top - down * height : bottom - down * height]

    def close(self) -> None:
        """Close all files and give the memory back; safe to call twice."""
        self._pool.close()
        self._tree.close()
        self._kept = None
        self._mine = threading.local()
        self._kept_down = -1

    def _keep(self, down: int) -> Pixels:
        """Return the decoded rows of a row of chunks, from before or decoded now."""
        height = self._array.chunk[self._axes.y]
        if self._kept is None:
            self._kept = self.header.spec.empty(min(height, self.header.spec.rows))
        rows = self._kept[: self.header.spec.rows - down * height]
        if down != self._kept_down:
            self._kept_down = -1
            self._decode_across(down, rows)
            self._kept_down = down
        return rows

    def _decode_across(self, down: int, out: Pixels) -> None:
        """Decode all chunks of one row of chunks into ``out``, which is as high as they are."""
        places = self._places(down)
        waiting: list[tuple[Place, Stored | None]] = []
        while batch := list(itertools.islice(places, IN_FLIGHT)):
            with self._clock.phase("read"):
                found = [(place, self._finder.find(place)) for place in batch]
                self._tree.expect(stored for _, stored in found if stored is not None)
            self._decode_all(waiting, out)
            waiting = found
        self._decode_all(waiting, out)

    def _places(self, down: int) -> Iterator[Place]:
        """Return the places of a row of chunks in the chunk grid, channels last."""
        array, axes = self._array, self._axes
        along = []
        for axis, (length, side) in enumerate(zip(array.shape, array.chunk, strict=True)):
            if axis == axes.y:
                along.append(range(down, down + 1))
            elif axis in axes.fixed:
                along.append(range(axes.fixed[axis] // side, axes.fixed[axis] // side + 1))
            else:
                along.append(range(math.ceil(length / side)))
        return itertools.product(*along)

    def _decode_all(self, found: list[tuple[Place, Stored | None]], out: Pixels) -> None:
        """Decode chunks into their places in ``out``, in the pool; all are there on return."""
        array, axes = self._array, self._axes
        under_way: deque[Future[None]] = deque()
        width = array.chunk[axes.x]
        depth = 1 if axes.c is None else array.chunk[axes.c]
        try:
            for place, stored in found:
                left = place[axes.x] * width
                channel = 0 if axes.c is None else place[axes.c] * depth
                target = out[:, left : left + width, channel : channel + depth]
                if stored is None:
                    target[...] = array.fill
                    continue
                data = self._fetch(place, stored)
                with self._clock.phase("decode"):
                    under_way.append(self._pool.submit(self._decode, place, data, target))
                    if len(under_way) >= self._pool.under_way:
                        under_way.popleft().result()
            with self._clock.phase("decode"):
                while under_way:
                    under_way.popleft().result()
        finally:
            wait(under_way)  # nobody may write into ``out`` any more, whatever was raised

    def _fetch(self, place: Place, stored: Stored) -> bytearray:
        """Read an encoded chunk."""
        with self._clock.phase("read"):
            data = self._tree.read(*stored)
        if len(data) < stored.length:
            raise DamagedInputError(
                f"{self._finder.name(place)} is cut short: {stored.length} bytes expected in {stored.key}, "
                f"{len(data)} found."
            )
        return data

    def _decode(self, place: Place, data: bytearray, target: Pixels) -> None:
        """Decode one chunk and put its part of the plane into ``target``; each thread has its own buffer."""
        mine = self._mine
        if not hasattr(mine, "chunk"):
            mine.chunk = np.empty(self._array.chunk, self._array.dtype)
        decode_chunk(data, self._array.codecs, mine.chunk, self._finder.name(place))
        plane = self._plane(mine.chunk)
        target[...] = plane[: target.shape[0], : target.shape[1], : target.shape[2]]

    def _plane(self, chunk: Pixels) -> Pixels:
        """Return rows × columns × channels of a chunk, without a copy."""
        axes = self._axes
        picked = chunk[
            tuple(
                axes.fixed[axis] % side if axis in axes.fixed else slice(None)
                for axis, side in enumerate(self._array.chunk)
            )
        ]
        left = [axis for axis in range(chunk.ndim) if axis not in axes.fixed]
        if axes.c is None:
            picked = picked[..., np.newaxis]
            left.append(chunk.ndim)
        order = [left.index(axis) for axis in (axes.y, axes.x, chunk.ndim if axes.c is None else axes.c)]
        return picked.transpose(order)
