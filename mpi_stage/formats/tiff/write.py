"""Writing rows as TIFF segments: plain strips, plain tiles."""

from typing import Protocol

import numpy as np

from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.image import Pixels
from mpi_stage.native import kernels
from mpi_stage.process.files import write_all
from mpi_stage.process.timing import PhaseClock


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
            done = self._write_compiled(place, rows) if stored_rows == len(rows) else 0
            for number, left in enumerate(range(done * width, layout.spec.columns, width), done):
                fill_segment(self._buffer, rows[:, left : left + width])
                write_all(self._fd, flat, place + number * layout.segment_bytes)

    def _write_compiled(self, place: int, rows: Pixels) -> int:
        """Write the tiles that ``rows`` fill from side to side in one call; return how many."""
        if kernels is None:
            return 0
        count = len(rows)
        values, buffer = (pixels.view(np.uint8).reshape(count, -1, 1) for pixels in (rows, self._buffer))
        return kernels.write_tiles(self._fd, place, self._layout.segment_bytes, values, buffer)


def fill_segment(segment: Pixels, part: Pixels) -> None:
    """Copy ``part`` into ``segment`` and repeat its last column and row into what is left of it."""
    rows, columns = part.shape[:2]
    segment[:rows, :columns] = part
    if columns < segment.shape[1]:
        segment[:rows, columns:] = part[:, -1:]
    if rows < segment.shape[0]:
        segment[rows:] = segment[rows - 1]
