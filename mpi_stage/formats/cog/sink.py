"""One Cloud-Optimized GeoTIFF written by many ranks at once, with the same bytes for any number of them."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np

from mpi_stage.errors import OutputError
from mpi_stage.formats.cog.layout import FRAME_BYTES, PUSHED_ROWS, CogLayout
from mpi_stage.formats.cog.level import CogLevel
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.formats.ports import Seam, SinkPlan
from mpi_stage.formats.row_order import check_follows
from mpi_stage.formats.tiff.append import SegmentAppender
from mpi_stage.formats.tiff.ifd import Offsets
from mpi_stage.formats.tiff.write_coded import CodedWriter
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.process.files import output_errors
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.pyramid import Halver, Take, way_to_halve


class CogStore(Protocol):
    """Where the tiles of one rank go, and how the whole is made of them all."""

    def create(self) -> None:
        """Claim the output's name, on rank 0."""

    def open(self) -> None:
        """Get ready for tiles."""

    def appender(self, level: int, row: int) -> SegmentAppender:
        """Return what takes this rank's tiles of a level, which begin at a row."""

    def end(self) -> None:
        """Wait until all tiles are stored."""

    def put(self, own: Sequence[tuple[int, int]]) -> None:
        """Put each level of this rank to its place, given that and how many bytes it has."""

    def finish(self, front: bytes, size_bytes: int) -> None:
        """Add the front, on rank 0; the whole then has ``size_bytes``."""

    def close(self) -> None:
        """Give back what is open; safe to call at any time."""


class CogSink:
    """A sink whose smaller levels are made while the rows of the image go by."""

    def __init__(
        self,
        store: CogStore,
        layout: CogLayout,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        name: str,
        clock: PhaseClock,
        threads: int = 1,
    ) -> None:
        """Prepare to fill ``store``, called ``name``; all ranks must pass the same metadata."""
        self.plan = plan
        self._store, self._layout, self._metadata = store, layout, metadata
        self._name, self._clock = name, clock
        self._pools = [TilePool(threads), *[TilePool(1)] * (len(layout.levels) - 1)]
        self._levels: list[CogLevel] = []
        self._take: Take | None = None
        self._next: int | None = None

    def create(self) -> None:
        """Claim the output's name; raises OutputExistsError, DiskFullError, OutputError, StorageError."""
        self._store.create()

    def open(self) -> None:
        """Get ready for rows."""
        self._store.open()
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
        check_follows(rows, first, self._next, self._layout.levels[0].spec.dtype)
        self._next += len(rows)
        with output_errors(self._name):
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
        with output_errors(self._name):
            self._levels[level].write(first, rows)

    def end_part(self) -> Sequence[int]:
        """Return how many tiles of each level this rank has written, then the stored sizes of them all."""
        with output_errors(self._name):
            sizes = [level.end() for level in self._levels]
        self._store.end()
        return [*map(len, sizes), *[size for level in sizes for size in level]]

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """Put this rank's tiles into place; rank 0 also writes the front."""
        parts = [self._split(part) for part in sizes]
        counts = [
            np.concatenate([part[number] for part in parts]) for number in range(len(self._layout.levels))
        ]
        for layout, found in zip(self._layout.levels, counts, strict=True):
            if len(found) != layout.segments:
                raise OutputError(
                    f"{self._name} needs {layout.segments} tiles of {layout.spec} and the ranks wrote "
                    f"{len(found)}: rows are missing or came twice."
                )
        begin = self._layout.front_bytes(self._metadata)
        offsets = self._layout.places(begin, counts)
        own = []
        for number, mine in enumerate(parts[rank]):
            before = sum(len(part[number]) for part in parts[:rank])
            place = int(offsets[number][before]) - FRAME_BYTES // 2 if len(mine) else 0
            own.append((place, int(mine.sum()) + FRAME_BYTES * len(mine)))
        self._store.put(own)
        if rank == 0:
            tiles = sum(int(found.sum()) + FRAME_BYTES * len(found) for found in counts)
            self._store.finish(self._layout.front(self._metadata, offsets, counts), begin + tiles)

    def close(self) -> None:
        """Give back what is open; safe to call at any time."""
        for pool in self._pools:
            pool.close()
        self._store.close()

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
        appender = self._store.appender(number, row)
        return CodedWriter(self._layout.levels[number], appender, self._pools[number], self._clock)

    def _split(self, part: Sequence[int]) -> list[Offsets]:
        """Return the sizes of each level that a rank has told of."""
        levels = len(self._layout.levels)
        bounds = np.cumsum([levels, *part[:levels]])
        return [np.asarray(part[start:end], np.uint64) for start, end in pairwise(bounds)]
