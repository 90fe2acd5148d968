"""Reading stored values of a TIFF page by rows: plain strips, plain tiles, or what is compressed."""

from typing import Protocol

import numpy as np

from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.tiff.page import TiffPage, cut_short
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import Pixels
from mpi_stage.native import kernels
from mpi_stage.process.timing import PhaseClock


class Reader(Protocol):
    """Fills arrays with stored rows."""

    def read(self, first: int, out: Pixels) -> None:
        """Fill ``out`` (rows × stored columns × samples, native byte order, C-contiguous)."""


def make_reader(page: TiffPage, data: ByteSource, clock: PhaseClock, pool: TilePool) -> Reader:
    """Return the reader that fits how ``page`` is stored."""
    if not page.plain:
        from mpi_stage.formats.tiff.read_coded import CodedReader  # noqa: PLC0415  (start-up time)

        return CodedReader(page, data, clock, pool)
    if page.tiled or page.planes > 1:
        return PlainTileReader(page, data, clock)
    return PlainStripReader(page, data, clock)


class PlainStripReader:
    """Interleaved, uncompressed strips: bytes go from the file into the array, many strips a call."""

    def __init__(self, page: TiffPage, data: ByteSource, clock: PhaseClock) -> None:
        """Read ``page`` from ``data``."""
        self._page, self._data, self._clock = page, data, clock

    def read(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on."""
        page, height = self._page, self._page.segment_rows
        view = out.data.cast("B")
        last = first + len(out)
        begin = first // height
        offsets = page.offsets[begin : (last - 1) // height + 1]
        sparse = page.counts[begin : begin + len(offsets)] == 0
        with self._clock.phase("read"):
            for start, stop in _runs(offsets, sparse, height * page.row_bytes):
                top = max(first, (begin + start) * height)
                bottom = min(last, (begin + stop) * height)
                part = view[(top - first) * page.row_bytes : (bottom - first) * page.row_bytes]
                if sparse[start]:
                    out[top - first : bottom - first] = 0
                    continue
                skipped = (top - (begin + start) * height) * page.row_bytes
                got = self._data.read_into(part, int(offsets[start]) + skipped)
                if got < len(part):
                    strip = begin + start + (skipped + got) // (height * page.row_bytes)
                    raise cut_short(page, strip, len(part), got)
            if not page.dtype.isnative:
                out.byteswap(inplace=True)


def _runs(offsets: np.ndarray, sparse: np.ndarray, strip_bytes: int) -> list[tuple[int, int]]:
    """Group strips that follow one another in the file, or that are all absent."""
    follows = np.where(sparse[1:], sparse[:-1], ~sparse[:-1] & (np.diff(offsets) == strip_bytes))
    starts = [0, *(np.flatnonzero(~follows) + 1).tolist()]
    return list(zip(starts, [*starts[1:], len(offsets)], strict=True))


class PlainTileReader:
    """Uncompressed tiles, or planes: the rows asked for, of each tile, through a small buffer.

    The columns may be some of the page's.
    """

    def __init__(self, page: TiffPage, data: ByteSource, clock: PhaseClock) -> None:
        """Read ``page`` from ``data``."""
        self._page, self._data, self._clock = page, data, clock
        self._buffer = np.empty(0, np.uint8)

    def read(self, first: int, out: Pixels, left: int = 0) -> None:
        """Fill ``out``, of any strides, with the rows from ``first`` on, from column ``left`` on."""
        height = self._page.segment_rows
        last = first + len(out)
        with self._clock.phase("read"):
            for down in range(first // height, (last - 1) // height + 1):
                top, bottom = max(first, down * height), min(last, (down + 1) * height)
                for plane in range(self._page.planes):
                    self._read_across(plane, down, top, left, out[top - first : bottom - first])

    def _read_across(self, plane: int, down: int, top: int, left: int, out: Pixels) -> None:
        """Fill ``out``, rows from ``top`` on inside one row of tiles, from one plane."""
        page = self._page
        across, hidden = divmod(left, page.segment_columns)
        begin = page.index(plane, down, across)
        count = -(-(hidden + out.shape[1]) // page.segment_columns)
        offsets = page.offsets[begin : begin + count].tolist()
        counts = page.counts[begin : begin + count].tolist()
        target = out[..., plane : plane + 1] if page.planes > 1 else out
        needed = len(out) * page.segment_row_bytes
        if self._buffer.size < needed:
            self._buffer = np.empty(needed, np.uint8)
        buffer = self._buffer[:needed]
        view = buffer.data
        values = buffer.view(page.dtype).reshape(len(out), page.segment_columns, page.segment_samples)
        read_into = self._data.read_into
        skipped = (top - down * page.segment_rows) * page.segment_row_bytes
        done = 0 if hidden else self._read_compiled(begin, target, skipped)
        column = done * page.segment_columns
        for number, (offset, count) in enumerate(zip(offsets[done:], counts[done:], strict=True), done):
            part = target[:, column : column + page.segment_columns - hidden]
            from_left, hidden = hidden, 0
            column += part.shape[1]
            if count == 0:
                part[:] = 0
                continue
            got = read_into(view, offset + skipped)
            if got < needed:
                raise cut_short(page, begin + number, needed, got)
            part[:] = values[:, from_left : from_left + part.shape[1]]

    def _read_compiled(self, begin: int, target: Pixels, skipped: int) -> int:
        """Read tiles from number ``begin`` on, where that is possible in one call; return how many."""
        page = self._page
        tiles = slice(begin, begin - (-target.shape[1] // page.segment_columns))
        beside = (page.segment_samples * page.dtype.itemsize, page.dtype.itemsize)
        if (
            kernels is None
            or self._data.fd < 0
            or page.planes > 1
            or not page.dtype.isnative
            or target.strides[1:] != beside
            or not page.counts[tiles].all()
        ):
            return 0
        rows = np.reshape(target.view(np.uint8), (len(target), -1, 1), copy=False)
        buffer = self._buffer[: len(target) * page.segment_row_bytes].reshape(len(target), -1, 1)
        offsets = page.offsets[tiles].astype(np.int64) + skipped
        return kernels.read_tiles(self._data.fd, offsets, rows, buffer)
