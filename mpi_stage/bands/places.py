"""Where bands are kept: what the keeper needs of it, and folders of this machine."""

import shutil
from collections.abc import Container, Iterator
from typing import Protocol

from mpi_stage.bands.journal import BandRecord, Journal, read_records


class Records(Protocol):
    """Takes the records of one rank."""

    def append(self, record: BandRecord) -> None:
        """Add a record, whose bytes must have been written. Raises StageError."""

    def sync(self) -> None:
        """Wait until all records are where they outlive this machine's power. Raises StageError."""

    def close(self) -> None:
        """Take no more; safe to call again."""


class BandPlaces(Protocol):
    """Places that attempts keep their bands in, each one of its own."""

    def journal(self, place: str, rank: int, key: str) -> Records:
        """Begin the journal of a rank. Raises StageError."""

    def records(self, place: str, key: str, wanted: Container[int]) -> Iterator[BandRecord]:
        """Yield the records of an attempt that are of ``key`` and of wanted bands. Raises StageError."""

    def forget(self, place: str) -> None:
        """Remove the bands of an attempt. Raises StageError."""


class BandsInFolders:
    """Folders of this machine, or of one that all nodes share."""

    def journal(self, place: str, rank: int, key: str) -> Records:
        """Begin a file. Raises DiskFullError, OutputError."""
        return Journal(place, rank, key)

    def records(self, place: str, key: str, wanted: Container[int]) -> Iterator[BandRecord]:
        """Yield the records of all ranks."""
        return (record for record in read_records(place, key) if record.band in wanted)

    def forget(self, place: str) -> None:
        """Remove a folder."""
        shutil.rmtree(place, ignore_errors=True)
