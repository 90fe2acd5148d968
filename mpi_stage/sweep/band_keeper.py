"""What one rank does about bands: takes over those of earlier attempts, and notes those it makes."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from mpi_stage.bands.grid import BandGrid, ranges
from mpi_stage.bands.journal import JOURNAL_VERSION, OUTPUT, BandRecord
from mpi_stage.bands.places import BandPlaces, Records
from mpi_stage.errors import StorageError
from mpi_stage.formats.ports import BandSink
from mpi_stage.geometry.partition import Rows
from mpi_stage.rows.digest import ROW_BYTES, RowDigest


def bands_key(plan_hash: str, generation: str, stored: str, grid: BandGrid) -> str:
    """Return what bands must agree in to be of use to each other.

    The plan, the input's generation, how the output is stored, and how it is cut.
    """
    body = [JOURNAL_VERSION, plan_hash, generation, stored, grid.rows, grid.height]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


class BandKeeper:
    """Keeps the bands of one rank.

    Attributes
    ----------
    made, reused, refused: how many bands this rank made, took over, and found but did not find as recorded.
    """

    def __init__(  # noqa: PLR0917  (made in one place)
        self,
        grid: BandGrid,
        slab: Rows,
        key: str,
        places: BandPlaces,
        folder: str,
        earlier: Sequence[str],
    ) -> None:
        """Keep the bands of ``slab`` in ``folder``; ``earlier`` are attempts before, newest first."""
        self._places = places
        self.grid, self._slab, self._key = grid, slab, key
        self._folder, self._earlier = folder, earlier
        self._journal: Records | None = None
        self._digest: RowDigest | None = None
        self.made = self.reused = self.refused = 0
        self._done = set[int]()

    def take_over(self, sink: BandSink, rank: int, digest: RowDigest | None) -> list[Rows]:
        """Take over all bands that are there; return the rows that are left to be made, in order.

        Where any were, they are on the disk on return: what they were copied from may be removed.
        """
        self._digest = digest
        self._journal = self._places.journal(self._folder, rank, self._key)
        left: list[Rows] = []
        wanted = set(self.grid.of(self._slab)) if self._slab.height else set()
        taken = self._take(sink, wanted)
        if taken:
            sink.sync()
            self._journal.sync()
        for band in sorted(wanted - taken):
            rows = self.grid.rows_of(band)
            if left and left[-1].end == rows.first:
                left[-1] = Rows(left[-1].first, rows.end)
            else:
                left.append(rows)
        return left

    def note(self, sink: BandSink) -> None:
        """Write down the bands that the sink has completed since the last call."""
        for record in sink.completed():
            self.made += 1
            self._write(record, self._digests(record.band))

    @property
    def output(self) -> str:
        """Where the output appears."""
        return f"{self._folder}/{OUTPUT}"

    def counts(self) -> dict[str, int]:
        """Return what became of the bands, by the names of the rank's report."""
        return {"bands_made": self.made, "bands_reused": self.reused, "bands_refused": self.refused}

    def forget_earlier(self) -> None:
        """Remove the earlier attempts' bands, once every rank has taken over what it can use."""
        for folder in self._earlier:
            with suppress(StorageError):  # then they go with the job
                self._places.forget(folder)

    @property
    def done(self) -> list[list[int]]:
        """The bands of this rank that are kept by now, as ranges: first, and the one after the last."""
        return ranges(self._done)

    def close(self) -> None:
        """Close the journal; safe to call again."""
        if self._journal is not None:
            self._journal.close()

    def _take(self, sink: BandSink, wanted: set[int]) -> set[int]:
        """Take over what is there of the wanted bands; return them."""
        taken: set[int] = set()
        refused: set[int] = set()
        for folder, record in self._found(wanted):
            if record.band in taken:
                continue
            mine = sink.take_over(folder, record)
            if mine is None:
                refused.add(record.band)
                continue
            rows = self.grid.rows_of(record.band)
            if self._digest is not None and record.digests is not None:
                self._digest.put(rows.first, record.digests)
            self._write(mine, record.digests)
            taken.add(record.band)
        self.reused, self.refused = len(taken), len(refused - taken)
        return taken

    def _found(self, wanted: set[int]) -> Iterator[tuple[str, BandRecord]]:
        """Yield the records of earlier attempts, with the digests that are needed."""
        for folder in self._earlier:
            for record in self._places.records(folder, self._key, wanted):
                if self._digest is None or self._is_digested(record):
                    yield folder, record

    def _is_digested(self, record: BandRecord) -> bool:
        expected = self.grid.rows_of(record.band).height * ROW_BYTES
        return record.digests is not None and len(record.digests) == expected

    def _digests(self, band: int) -> bytes | None:
        rows = self.grid.rows_of(band)
        return None if self._digest is None else self._digest.of(*rows)

    def _write(self, record: BandRecord, digests: bytes | None) -> None:
        self._done.add(record.band)
        if self._journal is not None:
            self._journal.append(replace(record, digests=digests))
