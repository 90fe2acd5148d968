"""One Zarr written by many ranks at once, each its own shards, with the same bytes for any number of them."""

import json
from collections.abc import Sequence
from typing import Any

from mpi_stage.errors import OutputError
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.row_order import check_follows
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.formats.zarr.json_objects import DOCUMENT
from mpi_stage.formats.zarr.layout import ZarrLayout
from mpi_stage.formats.zarr.ome import ome_document
from mpi_stage.formats.zarr.place import ZarrPlace
from mpi_stage.formats.zarr.source import ZarrSource
from mpi_stage.formats.zarr.write import LevelWriter, array_document
from mpi_stage.image import Pixels
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.pyramid import Halver, Take, way_to_halve


class ZarrSink:
    """A sink on one place. Slabs end where shards end, so no two ranks ever write the same file.

    The levels of an OME-Zarr image are made as the rows go by, as far as a rank's rows make whole
    shards of them; rank 0 makes the rest, which are small, of the last of those. It also writes all
    metadata, last.
    """

    def __init__(
        self,
        place: ZarrPlace,
        layout: ZarrLayout,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        nodata: float | None,
        clock: PhaseClock,
        threads: int = 1,
    ) -> None:
        """Prepare to write to ``place``; touches nothing there. Levels leave out values of ``nodata``."""
        self.plan = plan
        self._place, self._layout, self._metadata, self._clock = place, layout, metadata, clock
        self._pool = TilePool(threads)
        self._how = way_to_halve(layout.levels[0].spec, nodata)
        self._writers: list[LevelWriter] = []
        self._halvers: list[Halver] = []
        self._next = 0

    def create(self) -> None:
        """Claim the place; raises OutputExistsError, DiskFullError, OutputError, StorageError."""
        self._place.claim()

    def open(self) -> None:
        """Get ready to write rows."""
        self._writers, self._halvers = self._cascade(0, self._layout.in_pass)

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; raises DiskFullError, OutputError."""
        if not len(rows):
            return
        if not self._writers[0].rows and first % self.plan.row_unit:
            raise ValueError(f"a part begins at row {first}, which is no multiple of {self.plan.row_unit}")
        if self._writers[0].rows:
            check_follows(rows, first, self._next)
        self._next = first + len(rows)
        self._put(self._writers, self._halvers, first, rows)

    def end_part(self) -> Sequence[int]:
        """Return how many rows this rank has written."""
        for writer in self._writers:
            writer.end()
        with self._clock.phase("write"):
            self._place.wait()
        return [self._writers[0].rows]

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """Make the levels that are left and write the metadata, on rank 0."""
        if rank != 0:
            return
        spec = self._layout.levels[0].spec
        rows = sum(sum(part) for part in sizes)
        if rows != spec.rows:
            raise OutputError(
                f"{self._place.name} needs {spec.rows} rows and the ranks wrote {rows}: "
                "rows are missing or came twice."
            )
        ome = self._layout.ome
        for level, layout in enumerate(self._layout.levels):
            self._document(self._path_of(level), array_document(layout), last=not ome)
        self._write_levels_left()
        if ome:
            names = self._layout.levels[0].names
            steps = [(2**level, 2**level) for level in range(len(self._layout.levels))]
            self._document("", ome_document(names, self._metadata.resolution, steps), last=True)

    def close(self) -> None:
        """End the threads and give the memory back; no file stays open. Safe to call at any time."""
        self._pool.close()
        self._place.close()
        self._writers, self._halvers = [], []

    def _path_of(self, level: int) -> str:
        """Return the path of a level's array."""
        return str(level) if self._layout.ome else ""

    def _cascade(self, first: int, end: int) -> tuple[list[LevelWriter], list[Halver]]:
        """Return writers of the levels from ``first`` on, and what makes each of the level before."""
        levels = self._layout.levels[first:end]
        writers = [
            LevelWriter(level, self._place, self._path_of(number), self._clock, self._pool)
            for number, level in enumerate(levels, first)
        ]
        halvers: list[Halver] = []
        for number in range(len(levels) - 1, 0, -1):
            take = _taker(writers[number], halvers[0] if halvers else None)
            halver = Halver(levels[number - 1].spec, take, self._how)
            halvers.insert(0, halver)
        return writers, halvers

    def _put(self, writers: list[LevelWriter], halvers: list[Halver], first: int, rows: Pixels) -> None:
        """Send rows to the largest level, and what is made of them to those below."""
        writers[0].write(first, rows)
        height = self._layout.levels[0].chunk_rows
        for start in range(0, len(rows) if halvers else 0, height):
            with self._clock.phase("encode"):
                halvers[0].push(first + start, rows[start : start + height])

    def _write_levels_left(self) -> None:
        """Make the levels below those of the pass; all ranks have written their parts by now."""
        start, end = self._layout.in_pass, len(self._layout.levels)
        if start == end:
            return
        source = ZarrSource(self._place.tree(self._path_of(start - 1)), self._clock)
        try:
            above = self._layout.levels[start - 1]
            writers, halvers = self._cascade(start, end)
            take = _taker(writers[0], halvers[0] if halvers else None)
            first_halver = Halver(above.spec, take, self._how)
            buffer = above.spec.empty(min(above.chunk_rows, above.spec.rows))
            for first in range(0, above.spec.rows, above.chunk_rows):
                rows = buffer[: above.spec.rows - first]
                source.read_rows(first, rows)
                with self._clock.phase("encode"):
                    first_halver.push(first, rows)
            for writer in writers:
                writer.end()
            self._place.wait()
        finally:
            source.close()

    def _document(self, path: str, document: dict[str, Any], *, last: bool) -> None:
        """Write the metadata of the array or group at ``path``."""
        data = json.dumps(document, indent=2, ensure_ascii=False).encode()
        self._place.document(f"{path}/{DOCUMENT}" if path else DOCUMENT, data, last=last)


def _taker(writer: LevelWriter, below: Halver | None) -> Take:
    """Return what writes the rows of a level and passes them on to the next."""

    def take(first: int, rows: Pixels) -> None:
        writer.write(first, rows)
        if below is not None:
            below.push(first, rows)

    return take
