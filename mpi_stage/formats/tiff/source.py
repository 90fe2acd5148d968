"""Rows of an image in a TIFF file, read by whoever needs them."""

import numpy as np

from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.options import SourceOptions
from mpi_stage.formats.ports import TileLayout
from mpi_stage.formats.tiff.header import parse_tiff
from mpi_stage.formats.tiff.page import TiffPage, cut_short
from mpi_stage.formats.tiff.ranges import row_ranges, window_ranges
from mpi_stage.formats.tiff.read import PlainTileReader, make_reader
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window, read_by_rows
from mpi_stage.image import Pixels
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.timing import PhaseClock

_CONVERT_BYTES = 1 << 20


class TiffSource:
    """A source on one TIFF file; each rank has its own and reads only the segments it needs."""

    def __init__(self, data: ByteSource, clock: PhaseClock, options: SourceOptions) -> None:
        """Read the header of ``data``, which is closed with the source; raises as :func:`parse_tiff`."""
        self.header, self._page = parse_tiff(data, options)
        self._data, self._clock = data, clock
        self._pool = TilePool(options.threads)
        self._reader = make_reader(self._page, data, clock, self._pool)
        self._stored: Pixels | None = None
        self._expected = Rows(0, 0)

    def expect_rows(self, first: int, count: int) -> None:
        """Learn that these rows are read next, in order; far files begin to be fetched."""
        self._expected = Rows(first, first + count)
        self._data.expect(row_ranges(self._page, first, first + count))

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on; raises DamagedInputError."""
        if first < 0 or first + len(out) > self.header.spec.rows:
            raise IndexError(f"rows {first} to {first + len(out)} of {self.header.spec.rows} were asked for")
        if not len(out):
            return
        if self._data.fd < 0 and not self._expected.first <= first <= first + len(out) <= self._expected.end:
            self.expect_rows(first, len(out))
        with LIMITS.decoding(self.header.row_unit * self.header.spec.row_bytes + out.nbytes):
            self._read_rows(first, out)

    def _read_rows(self, first: int, out: Pixels) -> None:
        if self._page.conversion == "none":
            self._reader.read(first, out)
            return
        for start in range(0, len(out), self._convert_rows):
            part = out[start : start + self._convert_rows]
            self._read_converted(first + start, part)

    @property
    def reads_windows(self) -> bool:
        """Whether the file has plain tiles, of which only some need to be read."""
        return self._page.conversion == "none" and isinstance(self._reader, PlainTileReader)

    def read_window(self, window: Window, out: Pixels) -> None:
        """Fill ``out`` (of any strides) with the pixels of a window; raises DamagedInputError."""
        if self._page.conversion == "none" and isinstance(self._reader, PlainTileReader):
            if self._data.fd < 0:
                self._expected = Rows(0, 0)
                self._data.expect(window_ranges(self._page, window))
            self._reader.read(window.rows.first, out, window.columns.first)
        else:
            read_by_rows(self.read_rows, self.header.spec, window, out)

    @property
    def tiles(self) -> TileLayout | None:
        """The tiles of a file of this machine whose bytes are the image's values."""
        page = self._page
        as_they_are = page.plain and page.tiled and page.planes == 1 and page.conversion == "none"
        if not as_they_are or not page.dtype.isnative or self._data.fd < 0 or not page.counts.all():
            return None
        return TileLayout(page.segment_rows, page.segment_columns, page.across, page.down)

    def read_tiles(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with tiles from number ``first`` on, in one call where they follow one another."""
        page, each = self._page, out[0].nbytes
        offsets = page.offsets[first : first + len(out)]
        together = bool((np.diff(offsets) == each).all())
        parts = [(first, out)] if together else [(first + n, out[n : n + 1]) for n in range(len(out))]
        with self._clock.phase("read"):
            for number, part in parts:
                got = self._data.read_into(part.data.cast("B"), int(page.offsets[number]))
                if got < part.nbytes:
                    raise cut_short(page, number + got // each, each, got % each)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._pool.close()
        self._data.close()

    @property
    def _convert_rows(self) -> int:
        """Rows that are converted at once, so that the stored values beside them stay small."""
        return max(1, _CONVERT_BYTES // (4 * self._page.row_bytes))

    def _read_converted(self, first: int, out: Pixels) -> None:
        """Read stored values and turn them into pixels."""
        page = self._page
        if self._stored is None or len(self._stored) < len(out):
            self._stored = np.empty((len(out), page.columns, page.samples), page.dtype.newbyteorder("="))
        stored = self._stored[: len(out)]
        self._reader.read(first, stored)
        with self._clock.phase("decode"):
            convert(page, stored, out)


def convert(page: TiffPage, stored: Pixels, out: Pixels) -> None:
    """Turn stored values into pixels as ``page.conversion`` says; black is zero afterwards."""
    if page.conversion == "palette" and page.palette is not None:
        np.take(page.palette, stored[..., 0], axis=0, out=out)
    elif page.conversion == "invert":
        np.subtract(np.iinfo(out.dtype).max, stored, out=out)
    else:
        bits = np.unpackbits(stored[..., 0], axis=1, count=out.shape[1])
        white = bits if page.conversion == "bits" else 1 - bits
        np.multiply(white, np.uint8(255), out=out[..., 0])
