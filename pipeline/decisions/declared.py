"""How many pixels a file says it has: read from its header, for quotas and shares alone.

Nothing is decoded, and nothing is believed: the stage reads the header again by its own rules, in a
process that may be lost. Here a file that says nothing, or nonsense, counts by its bytes.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

BYTES_PER_PIXEL = 1
"""Of a file whose header is not understood; about what photographs and compressed scans take."""

MOST_DIRECTORIES = 64
"""Directories of a TIFF that are looked at; the largest image counts."""

MOST_SEGMENTS = 256
_HEAD_BYTES = 32
_MOST_ENTRIES = 4096
_WIDTH, _HEIGHT = 256, 257
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA


def pixels_of(path: Path) -> int:
    """Return how many pixels the file at ``path`` declares, at least 1. Raises OSError."""
    with path.open("rb") as file:
        return declared_pixels(file, path.stat().st_size)


def declared_pixels(file: BinaryIO, size_bytes: int) -> int:
    """Return how many pixels an open file declares, or counts as; at least 1. Raises OSError."""
    head = file.read(_HEAD_BYTES)
    found = 0
    with suppress(struct.error):
        found = _declared(file, head, size_bytes)
    return found or by_bytes(size_bytes)


def by_bytes(size_bytes: int) -> int:
    """Return how many pixels a file counts as of which nobody has read more than its size; at least 1."""
    return max(1, size_bytes // BYTES_PER_PIXEL)


def _declared(file: BinaryIO, head: bytes, size_bytes: int) -> int:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _product(*struct.unpack_from(">II", head, 16))
    if head.startswith(b"\xff\xd8"):
        return _jpeg(file)
    if head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return _largest(_tiff(file, head, size_bytes))
    if head.startswith(b"GIF8"):
        return _product(*struct.unpack_from("<HH", head, 6))
    if head.startswith(b"BM"):
        return _product(*struct.unpack_from("<ii", head, 18))
    return 0


def _product(columns: int, rows: int) -> int:
    return abs(columns) * abs(rows)


def _largest(sizes: Iterator[tuple[int, int]]) -> int:
    """Return the pixels of the largest image; nonsense that follows takes none of them back."""
    found = 0
    with suppress(struct.error):
        for size in sizes:
            found = max(found, _product(*size))
    return found


def _jpeg(file: BinaryIO) -> int:
    file.seek(2)
    for _ in range(MOST_SEGMENTS):
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or kind == _SCAN:  # noqa: PLR2004  (the byte before every marker)
            return 0
        if kind in _FRAMES:
            rows, columns = struct.unpack(">xHH", file.read(5))
            return _product(columns, rows)
        file.seek(length - 2, 1)
    return 0


def _tiff(file: BinaryIO, head: bytes, size_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield columns and rows of each directory of a TIFF or BigTIFF."""
    order = "<" if head[:1] == b"I" else ">"
    big = head[2:4] in {b"+\0", b"\0+"}
    count_kind, entry_bytes, value_at = ("Q", 20, 12) if big else ("H", 12, 8)
    word = "Q" if big else "I"
    (offset,) = struct.unpack_from(order + word, head, 8 if big else 4)
    for _ in range(MOST_DIRECTORIES):
        if not 0 < offset < size_bytes:
            return
        file.seek(offset)
        (entries,) = struct.unpack(order + count_kind, file.read(struct.calcsize(count_kind)))
        if entries > _MOST_ENTRIES:
            return
        table = file.read(entries * entry_bytes)
        size = {_WIDTH: 0, _HEIGHT: 0}
        for at in range(0, len(table) - entry_bytes + 1, entry_bytes):
            tag, kind = struct.unpack_from(order + "HH", table, at)
            if tag in size and kind in _INTEGERS:
                (size[tag],) = struct.unpack_from(order + _INTEGERS[kind], table, at + value_at)
        yield size[_WIDTH], size[_HEIGHT]
        (offset,) = struct.unpack(order + word, file.read(struct.calcsize(word)))
