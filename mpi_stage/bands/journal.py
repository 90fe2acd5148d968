"""The journal of bands: which are there, where their bytes lie, and by what they are known again.

One file for each rank of an attempt. Every line is a JSON object behind its CRC32, so that one that was
cut short is no record. The first says what the bands are of; bands of anything else are not read.
"""

import json
import os
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mpi_stage.process.files import output_errors

JOURNAL_VERSION = 1
OUTPUT = "output"
"""The finished output's name in the folder of an attempt."""

_PREFIX = "journal-"
_CHECKSUM_DIGITS = 8


class BandPart(NamedTuple):
    """A range of bytes that belongs to a band, in the file ``name`` of an attempt's folder.

    Where the bytes are those of the rows, whose digests are known, they need no checksum.
    """

    name: str
    offset: int
    size_bytes: int
    crc32c: int | None


@dataclass(frozen=True)
class BandRecord:
    """A band that is there.

    Attributes
    ----------
    band: its number.
    parts: where its bytes lie.
    sizes: of its encoded segments, where their places depend on them.
    digests: of its rows, 32 bytes each; None where none were asked for.
    """

    band: int
    parts: tuple[BandPart, ...]
    sizes: tuple[int, ...] = ()
    digests: bytes | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        digests = None if self.digests is None else b2a_base64(self.digests, newline=False).decode()
        return {"band": self.band, "parts": self.parts, "sizes": self.sizes, "digests": digests}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "BandRecord":
        """Return the record of a JSON object; raises KeyError, TypeError, ValueError for any other."""
        digests = None if data["digests"] is None else a2b_base64(data["digests"])
        parts = tuple(BandPart(*part) for part in data["parts"])
        return cls(int(data["band"]), parts, tuple(data["sizes"]), digests)


class Journal:
    """The records of one rank, each there as soon as it is appended."""

    def __init__(self, folder: str, rank: int, key: str) -> None:
        """Begin the journal of a rank in an attempt's folder. Raises DiskFullError, OutputError."""
        self._path = f"{folder}/{_PREFIX}{rank:06d}"
        with output_errors(self._path):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._fd = os.open(self._path, flags, 0o666)
        self._write({"version": JOURNAL_VERSION, "key": key})

    def append(self, record: BandRecord) -> None:
        """Add a record, whose bytes must have been written. Raises as the constructor."""
        self._write(record.to_json())

    def sync(self) -> None:
        """Wait until all records are on the disk. Raises as the constructor."""
        with output_errors(self._path):
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Close the file; safe to call again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, data: dict[str, Any]) -> None:
        line = checked_line(data)
        with output_errors(self._path):
            while line:
                line = line[os.write(self._fd, line) :]


def checked_line(data: dict[str, Any]) -> bytes:
    """Return a JSON object as a line behind its checksum."""
    text = json.dumps(data, separators=(",", ":")).encode()
    return b"%0*x %s\n" % (_CHECKSUM_DIGITS, zlib.crc32(text), text)


def read_records(folder: str, key: str) -> Iterator[BandRecord]:
    """Yield the records of all ranks of an attempt, as far as they are whole and of ``key``."""
    for path in sorted(Path(folder).glob(f"{_PREFIX}*")):
        try:
            with path.open("rb") as lines:
                yield from records_in(lines, key)
        except OSError:
            continue  # somebody has removed it meanwhile


def records_in(lines: Iterable[bytes], key: str) -> Iterator[BandRecord]:
    """Yield the records of one journal, up to the first that is damaged, if they are of ``key``."""
    found = _objects(lines)
    head = next(found, {})
    if head.get("version") != JOURNAL_VERSION or head.get("key") != key:
        return
    for data in found:
        try:
            yield BandRecord.from_json(data)
        except (KeyError, TypeError, ValueError):
            return


def _objects(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        stated, _, text = line.rstrip(b"\n").partition(b" ")
        if stated != b"%0*x" % (_CHECKSUM_DIGITS, zlib.crc32(text)):
            return
        try:
            data = json.loads(text)
        except ValueError:
            return
        if not isinstance(data, dict):
            return
        yield data
