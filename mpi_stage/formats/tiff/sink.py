"""One TIFF file written by many ranks at once, with the same bytes for any number of them."""

import os
import tempfile
from collections.abc import Sequence

import numpy as np

from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.ports import SinkPlan, TileLayout
from mpi_stage.formats.row_order import check_follows
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.tables import segment_tables
from mpi_stage.formats.tiff.tags import front_bytes, tiff_front
from mpi_stage.formats.tiff.write import PlainStripWriter, PlainTileWriter, SegmentWriter
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import Pixels
from mpi_stage.process.files import copy_bytes, create_file, output_errors, write_all
from mpi_stage.process.timing import PhaseClock


class TiffSink:
    """A sink on one TIFF file; the file's front is written last, by rank 0.

    Uncompressed rows go straight to their place. Compressed segments cannot know theirs: the rank
    that has the image's first row appends to the file itself, the others to an unnamed scratch file
    that is copied into place once all sizes are known.
    """

    def __init__(
        self,
        path: str,
        layout: TiffLayout,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        scratch_dir: str,
        clock: PhaseClock,
        threads: int = 1,
    ) -> None:
        """Prepare to write ``path``; touches no file. All ranks must pass the same metadata."""
        self._pool = TilePool(threads)
        self.plan = plan
        self._path, self._layout, self._metadata = path, layout, metadata
        self._scratch_dir, self._clock = scratch_dir, clock
        self._front_bytes = front_bytes(layout, metadata)
        self._fd = self._scratch_fd = -1
        self._writer: SegmentWriter | None = None
        self._next = 0

    def create(self) -> None:
        """Make the file; raises OutputExistsError, DiskFullError, OutputError."""
        create_file(self._path)

    def open(self) -> None:
        """Open the file for writing."""
        with output_errors(self._path):
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; raises DiskFullError, OutputError."""
        if not len(rows):
            return
        if self._writer is None:
            self._writer = self._start(first)
            self._next = first
        check_follows(rows, first, self._next, self._layout.spec.dtype)
        with output_errors(self._path):
            self._writer.write(first, np.ascontiguousarray(rows))
        self._next += len(rows)

    @property
    def tiles(self) -> TileLayout | None:
        """The tiles of a file without compression."""
        layout = self._layout
        if not layout.tiled or layout.compression != "none":
            return None
        return TileLayout(layout.segment_rows, layout.segment_columns, layout.across, layout.down)

    def write_tiles(self, first: int, tiles: Pixels) -> None:
        """Write tiles from number ``first`` on; raises DiskFullError, OutputError."""
        with output_errors(self._path), self._clock.phase("write"):
            place = self._front_bytes + first * self._layout.segment_bytes
            write_all(self._fd, tiles.data.cast("B"), place)

    def end_part(self) -> Sequence[int]:
        """Return the stored sizes of this rank's segments; none where their places are known anyway."""
        with output_errors(self._path):
            return [] if self._writer is None else self._writer.end()

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """Copy this rank's segments into place; rank 0 also writes the front of the file."""
        with output_errors(self._path), self._clock.phase("write"):
            if self._scratch_fd >= 0:
                before = self._front_bytes + sum(int(np.sum(part, dtype=np.int64)) for part in sizes[:rank])
                own = int(np.sum(sizes[rank], dtype=np.int64))
                copy_bytes(self._scratch_fd, self._fd, before, own)
            if rank == 0:
                offsets, counts = segment_tables(self._layout, self._front_bytes, sizes, self._path)
                write_all(self._fd, tiff_front(self._layout, self._metadata, offsets, counts), 0)

    def close(self) -> None:
        """Close the files; the scratch file vanishes with that. Safe to call at any time."""
        self._pool.close()
        for fd in (self._fd, self._scratch_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._scratch_fd = -1

    def _start(self, first: int) -> SegmentWriter:
        """Return the writer for a part that begins at row ``first``."""
        if first % self.plan.row_unit:
            raise ValueError(f"a part begins at row {first}, which is no multiple of {self.plan.row_unit}")
        if self._layout.compression == "none":
            kind = PlainTileWriter if self._layout.tiled else PlainStripWriter
            return kind(self._layout, self._fd, self._front_bytes, self._clock)
        from mpi_stage.formats.tiff.append import Appender  # noqa: PLC0415  (start-up time)
        from mpi_stage.formats.tiff.write_coded import CodedWriter  # noqa: PLC0415  (as above)

        fd, place = self._fd, self._front_bytes
        if first:
            with output_errors(self._scratch_dir), tempfile.TemporaryFile(dir=self._scratch_dir) as scratch:
                fd, place = os.dup(scratch.fileno()), 0
            self._scratch_fd = fd
        return CodedWriter(self._layout, Appender(fd, place, self._clock), self._pool, self._clock)
