"""One Cloud-Optimized GeoTIFF written by many ranks at once, with the same bytes for any number of them."""

import os
import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from mpi_stage.errors import OutputError
from mpi_stage.formats.base import Metadata, Seam, SinkPlan
from mpi_stage.formats.cog_layout import FRAME_BYTES, PUSHED_ROWS, CogLayout
from mpi_stage.formats.cog_level import CogLevel
from mpi_stage.formats.files import copy_bytes, create_file, output_errors, write_all
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.formats.tiff_append import Appender
from mpi_stage.formats.tiff_ifd import Offsets
from mpi_stage.formats.tiff_write_coded import CodedWriter
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.pyramid import Halver, Take, way_to_halve
from mpi_stage.timing import PhaseClock


class CogSink:
    """A sink on one file, whose smaller levels are made while the rows of the image go by.

    The image's tiles stand behind those of all levels, whose sizes are known last: every rank encodes
    each level into an unnamed scratch file of its own and copies that into place once all sizes are
    known. Uncompressed tiles go straight to their place. Rank 0 writes the front.
    """

    def __init__(
        self,
        path: str,
        layout: CogLayout,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        scratch_dir: str,
        clock: PhaseClock,
        threads: int = 1,
    ) -> None:
        """Prepare to write ``path``; touches no file. All ranks must pass the same metadata."""
        self.plan = plan
        self._path, self._layout, self._metadata = path, layout, metadata
        self._scratch_dir, self._clock = scratch_dir, clock
        self._pools = [TilePool(threads), *[TilePool(1)] * (len(layout.levels) - 1)]
        self._front_bytes = layout.front_bytes(metadata)
        self._fd = -1
        self._scratch: dict[int, int] = {}
        self._levels: list[CogLevel] = []
        self._take: Take | None = None
        self._next: int | None = None

    def create(self) -> None:
        """Make the file; raises OutputExistsError, DiskFullError, OutputError."""
        create_file(self._path)

    def open(self) -> None:
        """Open the file for writing."""
        with output_errors(self._path):
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        self._levels = [
            CogLevel(layout, partial(self._start, number))
            for number, layout in enumerate(self._layout.levels)
        ]
        spec = self._layout.levels[0].spec
        how = way_to_halve(spec, nodata_value(self._metadata.nodata, spec.dtype))
        take: Take | None = None
        for level, layout in reversed(list(zip(self._levels, self._layout.levels, strict=True))):
            below = None if take is None else Halver(layout.spec, take, how)
            take = self._taker(level, below)
        self._take = take

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; raises DiskFullError, OutputError."""
        if not len(rows) or self._take is None:
            return
        if self._next is None:
            if first % self.plan.row_unit:
                raise ValueError(
                    f"a part begins at row {first}, which is no multiple of {self.plan.row_unit}"
                )
            self._next = first
        if first != self._next or rows.dtype != self._layout.levels[0].spec.dtype:
            raise ValueError(f"expected rows from {self._next} on, got {rows.dtype} from {first}")
        self._next += len(rows)
        with output_errors(self._path):
            self._take(first, np.ascontiguousarray(rows))

    def seams(self) -> Sequence[Seam]:
        """Return the rows that lie in tiles which other ranks began."""
        found = []
        for number, level in enumerate(self._levels):
            head = level.head()
            if head is not None:
                first, rows = head
                tile_row = first - first % self._layout.levels[number].segment_rows
                found.append(Seam(number, first, tile_row << number, rows))
        return found

    def seam_spec(self, level: int) -> ImageSpec:
        """Return the size and type of a level."""
        return self._layout.levels[level].spec

    def take_seam(self, level: int, first: int, rows: Pixels) -> None:
        """Take rows of a level after this rank's own; raises DiskFullError, OutputError."""
        with output_errors(self._path):
            self._levels[level].write(first, rows)

    def end_part(self) -> Sequence[int]:
        """Return how many tiles of each level this rank has written, then the stored sizes of them all."""
        with output_errors(self._path):
            sizes = [level.end() for level in self._levels]
        return [*map(len, sizes), *[size for level in sizes for size in level]]

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """Copy this rank's tiles into place; rank 0 also writes the front of the file."""
        parts = [self._split(part) for part in sizes]
        counts = [
            np.concatenate([part[number] for part in parts]) for number in range(len(self._layout.levels))
        ]
        for layout, found in zip(self._layout.levels, counts, strict=True):
            if len(found) != layout.segments:
                raise OutputError(
                    f"{self._path} needs {layout.segments} tiles of {layout.spec} and the ranks wrote "
                    f"{len(found)}: rows are missing or came twice."
                )
        offsets = self._layout.places(self._front_bytes, counts)
        with output_errors(self._path), self._clock.phase("write"):
            for number, fd in self._scratch.items():
                own = parts[rank][number]
                before = sum(len(part[number]) for part in parts[:rank])
                place = int(offsets[number][before]) - FRAME_BYTES // 2
                copy_bytes(fd, self._fd, place, int(own.sum()) + FRAME_BYTES * len(own))
            if rank == 0:
                write_all(self._fd, self._layout.front(self._metadata, offsets, counts), 0)

    def close(self) -> None:
        """Close the files; scratch files vanish with that. Safe to call at any time."""
        for pool in self._pools:
            pool.close()
        for fd in (self._fd, *self._scratch.values()):
            if fd >= 0:
                os.close(fd)
        self._fd, self._scratch = -1, {}

    def _taker(self, level: CogLevel, below: Halver | None) -> Take:
        """Return what writes the rows of a level and hands them down to the next."""

        def take(first: int, rows: Pixels) -> None:
            level.write(first, rows)
            if below is None:
                return
            for start in range(0, len(rows), PUSHED_ROWS):
                with self._clock.phase("encode"):
                    below.push(first + start, rows[start : start + PUSHED_ROWS])

        return take

    def _start(self, number: int, row: int) -> CodedWriter:
        """Return the writer for this rank's tiles of a level, which begin at a row."""
        layout = self._layout.levels[number]
        if layout.compression == "none":
            whole = [np.full(one.segments, one.segment_bytes, np.uint64) for one in self._layout.levels]
            index = row // layout.segment_rows * layout.across
            place = int(self._layout.places(self._front_bytes, whole)[number][index]) - FRAME_BYTES // 2
            fd = self._fd
        else:
            with output_errors(self._scratch_dir), tempfile.TemporaryFile(dir=self._scratch_dir) as scratch:
                fd, place = os.dup(scratch.fileno()), 0
            self._scratch[number] = fd
        appender = Appender(fd, place, self._clock, framed=True)
        return CodedWriter(layout, appender, self._pools[number], self._clock)

    def _split(self, part: Sequence[int]) -> list[Offsets]:
        """Return the sizes of each level that a rank has told of."""
        levels = len(self._layout.levels)
        bounds = np.cumsum([levels, *part[:levels]])
        return [np.asarray(part[start:end], np.uint64) for start, end in pairwise(bounds)]
