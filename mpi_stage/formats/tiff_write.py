"""Writing rows as TIFF segments: plain strips, plain tiles, coded segments."""

from typing import Protocol

import numpy as np

from mpi_stage.formats.files import write_all
from mpi_stage.formats.tiff_codecs import encode_segment
from mpi_stage.formats.tiff_layout import TiffLayout
from mpi_stage.image import Pixels
from mpi_stage.timing import PhaseClock


class SegmentWriter(Protocol):
    """Puts consecutive rows of one rank into a file."""

    def write(self, first: int, rows: Pixels) -> None:
        """Take C-contiguous rows; raises OSError."""

    def end(self) -> list[int]:
        """Return the sizes of the segments that were encoded."""


class PlainStripWriter:
    """Uncompressed strips follow one another, so rows go from the array to their place in one call."""

    def __init__(self, layout: TiffLayout, fd: int, start: int, clock: PhaseClock) -> None:
        """Write to ``fd``, whose first strip begins at byte ``start``."""
        self._row_bytes, self._fd, self._start, self._clock = layout.spec.row_bytes, fd, start, clock

    def write(self, first: int, rows: Pixels) -> None:
        """Write the rows."""
        with self._clock.phase("write"):
            write_all(self._fd, rows.data.cast("B"), self._start + first * self._row_bytes)

    def end(self) -> list[int]:
        """Return nothing: places and sizes are known."""
        return []


class PlainTileWriter:
    """Uncompressed tiles: the rows at hand of each tile go to their place through a small buffer."""

    def __init__(self, layout: TiffLayout, fd: int, start: int, clock: PhaseClock) -> None:
        """Write to ``fd``, whose first tile begins at byte ``start``."""
        self._layout, self._fd, self._start, self._clock = layout, fd, start, clock
        self._buffer: Pixels = np.empty((0, 0, 0), layout.spec.dtype)

    def write(self, first: int, rows: Pixels) -> None:
        """Write the rows, tile by tile."""
        height = self._layout.segment_rows
        last = first + len(rows)
        for down in range(first // height, (last - 1) // height + 1):
            top, bottom = max(first, down * height), min(last, (down + 1) * height)
            self._write_across(down, top, rows[top - first : bottom - first])

    def end(self) -> list[int]:
        """Return nothing: places and sizes are known."""
        return []

    def _write_across(self, down: int, top: int, rows: Pixels) -> None:
        """Write rows from ``top`` on that lie in one row of tiles."""
        layout = self._layout
        height, width = layout.segment_rows, layout.segment_columns
        ends_image = top + len(rows) == layout.spec.rows
        stored_rows = (down + 1) * height - top if ends_image else len(rows)
        shape = (stored_rows, width, layout.spec.channels)
        if self._buffer.shape != shape:
            self._buffer = np.empty(shape, layout.spec.dtype)
        flat = self._buffer.data.cast("B")
        place = self._start + down * layout.across * layout.segment_bytes
        place += (top - down * height) * (layout.segment_bytes // height)
        with self._clock.phase("write"):
            for left in range(0, layout.spec.columns, width):
                fill_segment(self._buffer, rows[:, left : left + width])
                write_all(self._fd, flat, place)
                place += layout.segment_bytes


class CodedWriter:
    """Compressed segments: rows are held back until a row of segments is full, then encoded."""

    def __init__(self, layout: TiffLayout, fd: int, start: int, clock: PhaseClock) -> None:
        """Append encoded segments to ``fd`` from byte ``start`` on."""
        self._layout, self._fd, self._place, self._clock = layout, fd, start, clock
        self._held: Pixels | None = None
        self._held_rows = 0
        self._tile: Pixels | None = None
        self._sizes: list[int] = []

    def write(self, first: int, rows: Pixels) -> None:
        """Encode what is full, hold back the rest."""
        spec, height = self._layout.spec, self._layout.segment_rows
        done = 0
        while done < len(rows):
            top = (first + done) // height * height
            whole = min(height, spec.rows - top)
            take = min(len(rows) - done, whole - self._held_rows)
            part = rows[done : done + take]
            done += take
            if take == whole:
                self._encode_across(part)
                continue
            if self._held is None:
                self._held = spec.empty(min(height, spec.rows))
            self._held[self._held_rows : self._held_rows + take] = part
            self._held_rows += take
            if self._held_rows == whole:
                self._encode_across(self._held[:whole])
                self._held_rows = 0

    def end(self) -> list[int]:
        """Return the encoded sizes in order; raises ValueError where a row of segments is not full."""
        if self._held_rows:
            raise ValueError(
                f"a part ends {self._held_rows} rows into segments of {self._layout.segment_rows} rows"
            )
        return self._sizes

    def _encode_across(self, rows: Pixels) -> None:
        """Encode and append one row of segments."""
        layout = self._layout
        width = layout.segment_columns
        for left in range(0, layout.spec.columns, width):
            with self._clock.phase("encode"):
                data = encode_segment(layout, self._segment(rows, left))
            with self._clock.phase("write"):
                write_all(self._fd, data, self._place)
            self._place += len(data)
            self._sizes.append(len(data))

    def _segment(self, rows: Pixels, left: int) -> Pixels:
        """Return the segment that begins at column ``left``: a strip's rows as they are, a tile filled up."""
        if not self._layout.tiled:
            return rows
        if self._tile is None:
            shape = (self._layout.segment_rows, self._layout.segment_columns, self._layout.spec.channels)
            self._tile = np.empty(shape, self._layout.spec.dtype)
        fill_segment(self._tile, rows[:, left : left + self._layout.segment_columns])
        return self._tile


def fill_segment(segment: Pixels, part: Pixels) -> None:
    """Copy ``part`` into ``segment`` and repeat its last column and row into what is left of it."""
    rows, columns = part.shape[:2]
    segment[:rows, :columns] = part
    if columns < segment.shape[1]:
        segment[:rows, columns:] = part[:, -1:]
    if rows < segment.shape[0]:
        segment[rows:] = segment[rows - 1]
