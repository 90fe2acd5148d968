"""One TIFF file written by many ranks at once in bands that outlive the attempt."""

import errno
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mpi_stage.bands.grid import BandGrid
from mpi_stage.bands.journal import OUTPUT, BandPart, BandRecord
from mpi_stage.bands.order import BandOrder
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import BandOptions
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.tiff.band_rows import verified_rows
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.tables import segment_tables
from mpi_stage.formats.tiff.tags import front_bytes, tiff_front
from mpi_stage.formats.tiff.write import PlainStripWriter, PlainTileWriter, SegmentWriter
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import Pixels
from mpi_stage.process.files import copy_bytes, create_file, make_folder, output_errors, write_all
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.digest import ROW_BYTES

if TYPE_CHECKING:
    from mpi_stage.formats.tiff.append import Appender

_SEGMENTS = "segments-"


class TiffBandSink:
    """A :class:`~mpi_stage.formats.ports.BandSink` on one TIFF file.

    Uncompressed bands lie at their place in the output. Of compressed ones that is not known before all
    are there: each rank appends them, in any order, to a file of its own, from where they are copied.

    Attributes
    ----------
    stored_as: all that bands must agree in to have the same bytes, beside their pixels.
    """

    def __init__(
        self,
        bands: BandOptions,
        layout: TiffLayout,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        clock: PhaseClock,
        threads: int = 1,
    ) -> None:
        """Prepare to write in a folder; touches no file. All ranks must pass the same metadata."""
        self.plan = plan
        self.stored_as = repr(layout)
        self._place = f"{bands.folder}/{OUTPUT}"
        self._grid = BandGrid(layout.spec.rows, plan.band_rows or layout.spec.rows)
        self._folder, self._digested = bands.folder, bands.digested
        self._layout, self._metadata, self._clock = layout, metadata, clock
        self._pool = TilePool(threads)
        self._coded = layout.compression != "none"
        self._front_bytes = front_bytes(layout, metadata)
        self._output = self._segments = -1
        self._name = OUTPUT  # of the file that bands are in
        self._end = 0  # of what is in the file of segments and recorded
        self._writer: SegmentWriter | None = None
        self._appender: Appender | None = None
        self._taken = 0  # of the sizes that the appender has
        self._order = BandOrder(self._grid)
        self._untold: list[BandRecord] = []
        self._made: dict[int, BandRecord] = {}

    def create(self) -> None:
        """Make the file; raises OutputExistsError, DiskFullError, OutputError."""
        with output_errors(self._folder):
            make_folder(self._folder)
        create_file(self._place)

    def open(self) -> None:
        """Open the file for writing."""
        with output_errors(self._place):
            self._output = os.open(self._place, os.O_RDWR | os.O_CLOEXEC)

    def take_over(self, folder: str, record: BandRecord) -> BandRecord | None:
        """Copy a band of an earlier attempt; return its record here, None where it is not as recorded."""
        if len(record.parts) != 1 or len(record.sizes) != self._segments_of(record.band):
            return None
        (part,) = record.parts
        with output_errors(self._place), self._clock.phase("write"):
            fd = self._file(record.band)
            offset, size_bytes = self._extent(record.band, record.sizes)
            if part.size_bytes != size_bytes:
                return None
            if part.crc32c is None:
                copied = not self._coded and self._copy_rows(f"{folder}/{part.name}", part.offset, record)
            else:
                from mpi_stage.bands.verify import copy_part  # noqa: PLC0415 (start-up time)

                copied = copy_part(folder, part, fd, offset)
            if not copied:
                return None
        self._end += size_bytes
        made = BandRecord(record.band, (BandPart(self._name, offset, size_bytes, part.crc32c),), record.sizes)
        self._made[record.band] = made
        return made

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; raises DiskFullError, OutputError."""
        if not len(rows):
            return
        if self._writer is None:
            self._writer = self._start(first)
        self._order.add(first, len(rows))
        with output_errors(self._place):
            self._writer.write(first, np.ascontiguousarray(rows))

    def completed(self) -> Sequence[BandRecord]:
        """Return the bands whose bytes have been written since the last call."""
        with output_errors(self._place), self._clock.phase("write"):
            self._collect()
        made, self._untold = self._untold, []
        return made

    def end_part(self) -> Sequence[int]:
        """Encode what is held back; return the stored sizes of this rank's segments, in order of the rows."""
        with output_errors(self._place):
            if self._writer is not None:
                self._writer.end()
            self._collect()
        return [size for _, record in sorted(self._made.items()) for size in record.sizes]

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        with output_errors(self._place):
            for fd in (self._output, self._segments):
                if fd >= 0:
                    os.fdatasync(fd)

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """Copy this rank's compressed bands into place; rank 0 also writes the front of the file."""
        place = self._front_bytes + sum(int(np.sum(part, dtype=np.int64)) for part in sizes[:rank])
        with output_errors(self._place), self._clock.phase("write"):
            for _, record in sorted(self._made.items()) if self._coded else ():
                (part,) = record.parts
                copy_bytes(self._segments, self._output, place, part.size_bytes, source_offset=part.offset)
                place += part.size_bytes
            if rank == 0:
                offsets, counts = segment_tables(self._layout, self._front_bytes, sizes, self._place)
                write_all(self._output, tiff_front(self._layout, self._metadata, offsets, counts), 0)

    def close(self) -> None:
        """Close the files; safe to call at any time."""
        self._pool.close()
        for fd in (self._output, self._segments):
            if fd >= 0:
                os.close(fd)
        self._output = self._segments = -1

    def _start(self, first: int) -> SegmentWriter:
        """Return the writer of this rank's rows, of which ``first`` is the first that is not taken over."""
        if not self._coded:
            return self._plain_writer()
        from mpi_stage.formats.tiff.append import Appender  # noqa: PLC0415 (start-up time)
        from mpi_stage.formats.tiff.write_coded import CodedWriter  # noqa: PLC0415 (as above)

        fd = self._file(first // self._grid.height)
        self._appender = Appender(fd, self._end, self._clock)
        return CodedWriter(self._layout, self._appender, self._pool, self._clock)

    def _plain_writer(self) -> SegmentWriter:
        kind = PlainTileWriter if self._layout.tiled else PlainStripWriter
        return kind(self._layout, self._output, self._front_bytes, self._clock)

    def _copy_rows(self, path: str, begin: int, record: BandRecord) -> bool:
        """Write the rows of an uncompressed band anew while they have their digests; return if all had."""
        first, end = self._grid.rows_of(record.band)
        if record.digests is None or len(record.digests) != (end - first) * ROW_BYTES:
            return False
        writer, done = self._plain_writer(), 0
        try:
            source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            for number, rows in verified_rows(source, self._layout, begin, end - first, record.digests):
                writer.write(first + number, rows)
                done += len(rows)
        finally:
            os.close(source)
        return done == end - first

    def _file(self, band: int) -> int:
        """Return the file that a band of this rank goes to; the rank's own is named by its first band."""
        if not self._coded:
            return self._output
        if self._segments < 0:
            self._name = f"{_SEGMENTS}{band:09d}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._segments = os.open(f"{self._folder}/{self._name}", flags, 0o666)
        return self._segments

    def _segments_of(self, band: int) -> int:
        """Return how many sizes a band has: none where they are known anyway."""
        return self._layout.segments_in(self._grid.rows_of(band).height) if self._coded else 0

    def _extent(self, band: int, sizes: Sequence[int]) -> tuple[int, int]:
        """Return where a band begins in its file, and its bytes."""
        if self._coded:
            return self._end, sum(sizes)
        layout, rows = self._layout, self._grid.rows_of(band)
        if not layout.tiled:
            row_bytes = layout.spec.row_bytes
            return self._front_bytes + rows.first * row_bytes, rows.height * row_bytes
        row_bytes = layout.across * layout.segment_bytes
        down, end = rows.first // layout.segment_rows, -(-rows.end // layout.segment_rows)
        return self._front_bytes + down * row_bytes, (end - down) * row_bytes

    def _collect(self) -> None:
        """Make the records of the bands that are written by now. Raises OSError."""
        due = self._order.due
        while due:
            band = due[0]
            count = self._segments_of(band)
            if self._appender is None:
                if self._grid.rows_of(band).end > self._order.next:
                    return
            elif len(self._appender.sizes) < self._taken + count:
                return
            due.popleft()
            self._add(band, count)

    def _add(self, band: int, count: int) -> None:
        """Make the record of a band that is written, with the next ``count`` sizes."""
        sizes: tuple[int, ...] = ()
        if self._appender is not None:
            self._appender.flush()
            sizes = tuple(self._appender.sizes[self._taken : self._taken + count])
            self._taken += count
        offset, size_bytes = self._extent(band, sizes)
        checksum = None
        if self._coded or not self._digested:
            from mpi_stage.bands.verify import file_crc32c  # noqa: PLC0415 (start-up time)

            checksum = file_crc32c(self._file(band), offset, size_bytes)
            if checksum is None:
                raise OSError(errno.EIO, f"{self._name} ends before byte {offset + size_bytes}")
        self._end += size_bytes
        record = BandRecord(band, (BandPart(self._name, offset, size_bytes, checksum),), sizes)
        self._made[band] = record
        self._untold.append(record)
