"""One rank's rows of one level of a Cloud-Optimized GeoTIFF."""

from collections.abc import Callable

import numpy as np

from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.write_coded import CodedWriter
from mpi_stage.image import Pixels


class CogLevel:
    """Writes the rows of tiles that this rank begins; what comes before the first of them is kept.

    Those rows belong to a row of tiles that another rank began, and go there in the end.
    """

    def __init__(self, layout: TiffLayout, start: Callable[[int], CodedWriter]) -> None:
        """Expect rows of ``layout``; ``start(row)`` returns a writer for the tiles from a row on."""
        self._layout, self._start = layout, start
        self._writer: CodedWriter | None = None
        self._head: list[Pixels] = []
        self._head_first = 0

    def write(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on, which follow those before; raises OSError."""
        height = self._layout.segment_rows
        if self._writer is None and first % height:
            kept = min(len(rows), height - first % height)
            if not self._head:
                self._head_first = first
            self._head.append(rows[:kept].copy())
            first, rows = first + kept, rows[kept:]
        if len(rows):
            if self._writer is None:
                self._writer = self._start(first)
            self._writer.write(first, np.ascontiguousarray(rows))

    def head(self) -> tuple[int, Pixels] | None:
        """Give away the rows that belong elsewhere, and the first of them; None if there are none."""
        if not self._head:
            return None
        rows = np.concatenate(self._head)
        self._head = []
        return self._head_first, rows

    def end(self) -> list[int]:
        """Return the stored sizes of this rank's tiles; raises OSError, ValueError where rows are missing."""
        return [] if self._writer is None else self._writer.end()
