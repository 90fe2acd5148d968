"""One Zarr written by many ranks at once in bands that outlive the attempt."""

import os
from collections.abc import Sequence
from contextlib import suppress

from mpi_stage.bands.grid import BandGrid
from mpi_stage.bands.journal import OUTPUT, BandPart, BandRecord
from mpi_stage.bands.verify import copy_part, file_crc32c
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import BandOptions
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.zarr.layout import ZarrLayout
from mpi_stage.formats.zarr.place import ZarrInFolder
from mpi_stage.formats.zarr.sink import ZarrSink
from mpi_stage.image import Pixels
from mpi_stage.process.files import make_folder, output_errors
from mpi_stage.process.timing import PhaseClock


class _NotedShards(ZarrInFolder):
    """A folder that notes which shards are whole."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.whole: list[str] = []

    def shard_done(self, path: str) -> None:
        self.whole.append(path)


class ZarrBandSink(ZarrSink):
    """A :class:`~mpi_stage.formats.ports.BandSink` on one folder; a band is some rows of all levels' shards.

    Those are the levels that are made as the rows go by; the others are made anew, of the last of them.
    """

    def __init__(
        self,
        bands: BandOptions,
        layout: ZarrLayout,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        nodata: float | None,
        clock: PhaseClock,
        threads: int = 1,
    ) -> None:
        """Prepare to write in a folder; touches nothing there."""
        self._shards = _NotedShards(f"{bands.folder}/{OUTPUT}")
        super().__init__(
            self._shards, layout, metadata, plan=plan, nodata=nodata, clock=clock, threads=threads
        )
        self.stored_as = f"{layout!r} {nodata!r}"
        self._folder = bands.folder
        self._grid = BandGrid(layout.levels[0].spec.rows, plan.band_rows or layout.levels[0].spec.rows)
        self._rows = 0
        self._parts: dict[int, list[BandPart]] = {}
        self._due: list[int] = []
        self._copied: list[str] = []

    def create(self) -> None:
        """Make the folders; raises OutputExistsError, DiskFullError, OutputError."""
        with output_errors(self._folder):
            make_folder(self._folder)
        super().create()

    def take_over(self, folder: str, record: BandRecord) -> BandRecord | None:
        """Copy the shards of a band; return its record here, None where one is not as recorded."""
        made = []
        for part in record.parts:
            path = f"{self._folder}/{part.name}"
            made.append(path)
            if not self._copy(folder, part, path):
                for one in made:
                    with suppress(OSError):
                        os.unlink(one)  # noqa: PTH108  (plain strings)
                return None
        self._copied += made
        self._rows += self._grid.rows_of(record.band).height
        return BandRecord(record.band, record.parts)

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; raises DiskFullError, OutputError."""
        if len(rows) and self._writers[0].rows and first != self._next:
            self._end_run()
            self.open()
        super().write_rows(first, rows)
        height = self._grid.height
        self._due.extend(range(-(-first // height), -(-(first + len(rows)) // height)))

    def completed(self) -> Sequence[BandRecord]:
        """Return the bands whose shards are whole since the last call, without digests."""
        with self._clock.phase("write"):
            for path in self._shards.whole:
                self._note(path)
        self._shards.whole.clear()
        made = [band for band in self._due if self._grid.rows_of(band).end <= self._next]
        self._due = [band for band in self._due if band not in made]
        return [BandRecord(band, tuple(self._parts.pop(band, ()))) for band in made]

    def end_part(self) -> Sequence[int]:
        """Return how many rows this rank has written or taken over."""
        self._end_run()
        return [self._rows]

    def sync(self) -> None:
        """Wait until the bands that were taken over are on the disk."""
        for path in self._copied:
            with output_errors(path):
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fdatasync(fd)
                finally:
                    os.close(fd)
        self._copied.clear()

    def _end_run(self) -> None:
        """End a run of rows, which ends with a band."""
        self._rows += super().end_part()[0]

    def _copy(self, folder: str, part: BandPart, path: str) -> bool:
        with output_errors(path), self._clock.phase("write"):
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  (plain strings)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                return copy_part(folder, part, fd, 0)
            finally:
                os.close(fd)

    def _note(self, path: str) -> None:
        """Add a shard that is whole to its band."""
        inside = path.removeprefix(f"{self._shards.name}/").split("/")
        level = int(inside[0]) if self._layout.ome else 0
        layout = self._layout.levels[level]
        at = inside[inside.index("c") + 1 :]
        row = int(at[layout.names.index("y")]) * layout.shard_rows << level
        with output_errors(path):
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                size_bytes = os.fstat(fd).st_size
                checksum = file_crc32c(fd, 0, size_bytes)
            finally:
                os.close(fd)
        name = path.removeprefix(f"{self._folder}/")
        self._parts.setdefault(row // self._grid.height, []).append(BandPart(name, 0, size_bytes, checksum))
