"""The directories of a TIFF file as they stand: entries, and their values when asked for.

After *TIFF Revision 6.0* (Adobe, 1992) and the BigTIFF design: a header points to the first
directory, each directory to the next. What is read is held against the file's size before anything
is allocated.
"""

import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.tiff import codes

Value = int | float | str | bytes | tuple[int | float, ...]

_ORDERS: dict[bytes, Literal["<", ">"]] = {b"II": "<", b"MM": ">"}
_CLASSIC, _BIG = 42, 43
_MOST_ENTRIES = 4096
_MOST_DIRECTORIES = 1 << 20
_MOST_BYTES = 64 << 20
_MOST_VALUES = 1 << 16
_FIRST_PLACE = 8  # nothing lies inside the header
_PAIRS = (codes.TYPE_RATIONAL, codes.TYPE_SIGNED_RATIONAL)
_LETTERS = {
    1: "B",
    2: "B",
    3: "H",
    4: "I",
    5: "I",
    6: "b",
    7: "B",
    8: "h",
    9: "i",
    10: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}
_TABLE_KINDS = (1, 3, 4, 13, 16, 18)


class Entry(NamedTuple):
    """What a directory says of one value: its type, the number of values, and the byte they begin at."""

    kind: int
    number: int
    place: int


class Link(NamedTuple):
    """A directory in the chain: where it begins, its NewSubfileType, where the next begins (0 for none)."""

    place: int
    subfile_type: int
    following: int


class TiffFile:
    """The bytes of a TIFF file, read for its directories."""

    def __init__(self, data: ByteSource) -> None:
        """Read the header of ``data``. Raises InputError, and ValueError for what is no TIFF."""
        self._data, self.size_bytes = data, data.size_bytes
        self._read_header()

    def _read_header(self) -> None:
        start = self.read(0, 8)
        self.order = _ORDERS[start[:2]]
        (version,) = self.unpack("H", start[2:4])
        self.big = version == _BIG
        if version not in {_CLASSIC, _BIG} or (self.big and self.unpack("HH", start[4:8]) != (8, 0)):
            raise ValueError(f"its header {start!r} is unknown")
        (self._first,) = self.unpack("Q", self.read(8, 8)) if self.big else self.unpack("I", start[4:8])

    @property
    def first(self) -> "Directory":
        """The first directory. Raises ValueError where there is none."""
        return Directory(self, self._first)

    def links(self) -> Iterator[Link]:
        """Yield the chain of directories, reading only the first entry of each, where its type stands.

        Raises ValueError where the chain is damaged or comes back to itself.
        """
        number, head, offset = ("Q", "HHQ", "Q") if self.big else ("H", "HHI", "I")
        number_bytes, inline = struct.calcsize(number), struct.calcsize(offset)
        size = struct.calcsize("<" + head) + inline
        place, seen = self._first, set[int]()
        while place:
            if place in seen or len(seen) >= _MOST_DIRECTORIES:
                raise ValueError(f"its chain of directories comes back to byte {place}")
            seen.add(place)
            (count,) = self.unpack(number, self.read(place, number_bytes))
            if not 0 < count <= _MOST_ENTRIES:
                raise ValueError(f"a directory of {count} entries is suspicious")
            code, kind, values, value = self.unpack(
                head + "I", self.read(place + number_bytes, size)[: size - inline + 4]
            )
            (following,) = self.unpack(offset, self.read(place + number_bytes + count * size, inline))
            typed = (code, kind, values) == (codes.SUBFILE_TYPE, codes.TYPE_LONG, 1)
            yield Link(place, value if typed else 0, following)
            place = following

    def read(self, place: int, count: int) -> bytes:
        """Return ``count`` bytes from ``place`` on. Raises ValueError where the file ends before."""
        if place < 0 or count < 0 or place + count > self.size_bytes:
            raise ValueError(f"{count} bytes from byte {place} on are not there")
        found = bytearray(count)
        got = self._data.read_into(memoryview(found), place) if count else 0
        if got < count:
            raise ValueError(f"the file ends at byte {place + got}")
        return bytes(found)

    def unpack(self, letters: str, data: bytes) -> tuple[int, ...]:
        """Return numbers in the file's byte order."""
        return struct.unpack(self.order + letters, data)


class Directory:
    """One directory: the entries by their code.

    Attributes
    ----------
    place: the byte it begins at.
    following: the byte at which the next directory begins, 0 after the last.
    entries: by code, the first where a code comes twice.
    second: further entries of codes that come twice, by code.

    """

    def __init__(self, file: TiffFile, place: int) -> None:
        """Read the directory at ``place``. Raises ValueError where it is not whole."""
        self.place = place
        self.entries: dict[int, Entry] = {}
        self.second: dict[int, Entry] = {}
        self._file = file
        number, head, offset = ("Q", "HHQ", "Q") if file.big else ("H", "HHI", "I")
        number_bytes, inline = struct.calcsize(number), struct.calcsize(offset)
        if place < _FIRST_PLACE:
            raise ValueError(f"a directory cannot begin at byte {place}")
        (count,) = file.unpack(number, file.read(place, number_bytes))
        if count > _MOST_ENTRIES:
            raise ValueError(f"a directory of {count} entries is suspicious")
        head_bytes = struct.calcsize("<" + head)
        size = head_bytes + inline
        table = file.read(place + number_bytes, count * size + inline)
        for start in range(0, count * size, size):
            code, kind, values = file.unpack(head, table[start : start + head_bytes])
            field = table[start + head_bytes : start + size]
            length = self._length(kind, values)
            if length is not None and length <= inline:
                where = place + number_bytes + start + head_bytes
            else:
                (where,) = file.unpack(offset, field)
            kept = self.second if code in self.entries else self.entries
            kept.setdefault(code, Entry(kind, values, where))
        (self.following,) = file.unpack(offset, table[count * size :])

    def __contains__(self, code: int) -> bool:
        """Whether there is an entry of that code."""
        return code in self.entries

    def value(self, code: int) -> Value | None:
        """Return a value, None where there is no entry.

        Bytes stay bytes; text is decoded, as UTF-8 or else as Windows-1252; one number is a number,
        several are a tuple, a fraction is two. Raises ValueError where the values are not there.
        """
        entry = self.entries.get(code)
        return None if entry is None else self.read(entry)

    def read(self, entry: Entry) -> Value:
        """Return the value of an entry; see :meth:`value`."""
        data = self._data(entry, _MOST_BYTES)
        if entry.kind in {codes.TYPE_BYTE, codes.TYPE_UNDEFINED}:
            return data
        if entry.kind == codes.TYPE_ASCII:
            return _text(data)
        number = entry.number * (2 if entry.kind in _PAIRS else 1)
        if number > _MOST_VALUES:
            raise ValueError(f"{number} values in one entry are too many")
        values = self._file.unpack(f"{number}{_LETTERS[entry.kind]}", data)
        return values[0] if number == 1 else values

    def table(self, code: int) -> NDArray[np.int64]:
        """Return the integers of an entry, however many; none where there is no entry.

        Raises ValueError where they are not there, OverflowError beyond 63 bits.
        """
        entry = self.entries.get(code)
        if entry is None:
            return np.empty(0, np.int64)
        if entry.kind not in _TABLE_KINDS:
            raise ValueError(f"entry {code} has values of type {entry.kind} and should have integers")
        data = self._data(entry, self._file.size_bytes)
        values = np.frombuffer(data, np.dtype(_LETTERS[entry.kind]).newbyteorder(self._file.order))
        if values.dtype.itemsize == np.int64().itemsize and values.size and values.max() >> 63:
            raise OverflowError(f"entry {code} has a value beyond 63 bits")
        return values.astype(np.int64)

    def _data(self, entry: Entry, most_bytes: int) -> bytes:
        """Return the bytes of an entry's values."""
        length = self._length(entry.kind, entry.number)
        if length is None:
            raise ValueError(f"values of type {entry.kind} are unknown")
        if entry.place < _FIRST_PLACE:
            raise ValueError(f"no value lies at byte {entry.place}")
        if length > most_bytes:
            raise ValueError(f"an entry of {length} bytes is too long")
        return self._file.read(entry.place, length)

    def _length(self, kind: int, count: int) -> int | None:
        """Return the bytes of ``count`` values, None for an unknown type."""
        letter = _LETTERS.get(kind)
        if letter is None:
            return None
        return count * struct.calcsize("<" + letter) * (2 if kind in _PAIRS else 1)


def _text(data: bytes) -> str | bytes:
    """Decode a text without the zeros at its end; bytes that are no text stay bytes."""
    data = data.rstrip(b"\x00")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding).strip()
        except UnicodeDecodeError:
            continue
    return data
