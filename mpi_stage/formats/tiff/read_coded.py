"""Reading rows of a TIFF page whose segments are compressed."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.tiff.decode import SegmentDecoder
from mpi_stage.formats.tiff.page import TiffPage, cut_short
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import Pixels
from mpi_stage.process.timing import PhaseClock

if TYPE_CHECKING:
    from concurrent.futures import Future


class CodedReader:
    """Compressed segments: decoded into the array, or kept where only a part was asked for.

    The engine reads one block after another, lower than a tile: the last row of segments is kept. Where
    the pool has threads they decode its segments together, and the next row of segments ahead.
    """

    def __init__(self, page: TiffPage, data: ByteSource, clock: PhaseClock, pool: TilePool) -> None:
        """Read ``page`` from ``data``; the pool's work is over once the pool is closed."""
        self._page, self._clock, self._pool = page, clock, pool
        self._segments = _Segments(page, data)
        self._kept, self._ahead = _SegmentRow(), _SegmentRow()

    def read(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on."""
        height = self._page.segment_rows
        last = first + len(out)
        for down in range(first // height, (last - 1) // height + 1):
            top, bottom = max(first, down * height), min(last, (down + 1) * height)
            part = out[top - first : bottom - first]
            whole = min(height, self._page.rows - down * height)
            if self._pool.threads == 1 and len(part) == whole and down != self._kept.down:
                self._decode(down, part)
            else:
                part[:] = self._keep(down)[top - down * height : bottom - down * height]

    def _decode(self, down: int, out: Pixels) -> None:
        """Decode all segments of one row of segments into ``out``, which covers it, in this thread."""
        for index, rows, part in self._parts(down, out):
            with self._clock.phase("read"):
                raw = self._segments.fetch(index)
            with self._clock.phase("decode"):
                self._segments.decode(raw, index, rows, part)

    def _keep(self, down: int) -> Pixels:
        """Return the decoded rows of a row of segments, from before or decoded now."""
        if down != self._kept.down:
            if self._ahead.down == down:
                self._kept, self._ahead = self._ahead, self._kept
            else:
                self._begin(self._kept, down)
            if self._pool.threads > 1 and down + 1 < self._page.down:
                self._begin(self._ahead, down + 1)
        with self._clock.phase("decode"):
            return self._kept.finished()

    def _begin(self, row: "_SegmentRow", down: int) -> None:
        """Decode a row of segments into memory of its own, in the pool where that has threads."""
        page = self._page
        row.drop()
        if row.pixels is None:
            shape = (min(page.segment_rows, page.rows), page.columns, page.samples)
            row.pixels = np.empty(shape, page.dtype.newbyteorder("="))
        row.height = min(page.segment_rows, page.rows - down * page.segment_rows)
        out = row.pixels[: row.height]
        if self._pool.threads == 1:
            self._decode(down, out)
        else:
            row.under_way = [
                self._pool.submit(self._segments.fill, index, rows, part)
                for index, rows, part in self._parts(down, out)
            ]
        row.down = down

    def _parts(self, down: int, out: Pixels) -> list[tuple[int, int, Pixels]]:
        """Return number, stored rows and place in ``out`` of each segment of a row of segments."""
        page = self._page
        parts = []
        for plane in range(page.planes):
            target = out[..., plane : plane + 1] if page.planes > 1 else out
            for across in range(page.across):
                left = across * page.segment_columns
                part = target[:, left : left + page.segment_columns]
                parts.append((page.index(plane, down, across), page.rows_in(down), part))
        return parts


@dataclass
class _SegmentRow:
    """A row of segments, decoded or being decoded: its number (-1 for none), its height, its pixels."""

    down: int = -1
    height: int = 0
    pixels: Pixels | None = None
    under_way: list["Future[None]"] = field(default_factory=list)

    def finished(self) -> Pixels:
        """Return the pixels once all are there; raises what decoding them raised."""
        try:
            for future in self.under_way:
                future.result()
        except BaseException:
            self.drop()
            raise
        self.under_way = []
        if self.pixels is None:
            raise ValueError("no row of segments was begun")
        return self.pixels[: self.height]

    def drop(self) -> None:
        """Forget the pixels, once nobody writes into them any more; errors of unread rows do not matter."""
        if self.under_way:
            from concurrent.futures import wait  # noqa: PLC0415  (slow; few need it)

            wait(self.under_way)
        self.under_way, self.down = [], -1


class _Segments:
    """Fetches and decodes single segments, in any number of threads; each has buffers of its own."""

    def __init__(self, page: TiffPage, data: ByteSource) -> None:
        self._page, self._data = page, data
        self._native = page.dtype.newbyteorder("=")
        self._mine = threading.local()

    def fill(self, index: int, rows: int, out: Pixels) -> None:
        """Fetch and decode a segment of ``rows`` stored rows into ``out``, which may be smaller than it."""
        self.decode(self.fetch(index), index, rows, out)

    def fetch(self, index: int) -> memoryview:
        """Return the stored bytes, valid until this thread's next fetch; none for a segment left out."""
        count = int(self._page.counts[index])
        if getattr(self._mine, "raw", None) is None or len(self._mine.raw) < count:
            self._mine.raw = bytearray(count)
        raw = memoryview(self._mine.raw)[:count]
        got = self._data.read_into(raw, int(self._page.offsets[index])) if count else 0
        if got < count:
            raise cut_short(self._page, index, count, got)
        return raw

    def decode(self, raw: memoryview, index: int, rows: int, out: Pixels) -> None:
        """Decode a fetched segment; one that was left out is black."""
        if not len(raw):
            out[:] = 0
            return
        mine = self._mine
        if not hasattr(mine, "decoder"):
            mine.decoder, mine.tile = SegmentDecoder(self._page), None
        shape = (rows, self._page.segment_columns, self._page.segment_samples)
        if out.shape == shape and out.flags.c_contiguous:
            mine.decoder.decode(raw, index, out)
            return
        if mine.tile is None or mine.tile.shape != shape:
            mine.tile = np.empty(shape, self._native)
        mine.decoder.decode(raw, index, mine.tile)
        out[:] = mine.tile[: out.shape[0], : out.shape[1]]
