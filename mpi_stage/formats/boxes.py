"""The boxes of JP2 and AVIF files (ISO/IEC 15444-1 annex I, ISO/IEC 14496-12): kinds and places."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from mpi_stage.formats.byte_source import ByteSource

MAX_BOXES = 4096
MAX_PAYLOAD_BYTES = 64 << 20
_HEAD, _LONG_HEAD = 8, 16


class Box(NamedTuple):
    """A box: its kind, and where its content begins and ends in the file."""

    kind: bytes
    start: int
    end: int


def boxes(data: ByteSource, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes that lie side by side in a part of a file.

    Raises ValueError where one is longer than its surroundings, or there are more than MAX_BOXES.
    """
    for _ in range(MAX_BOXES):
        if end - start < _HEAD:
            return
        length, kind = struct.unpack(">I4s", read(data, start, _HEAD))
        head = _HEAD
        if length == 1:
            (length,) = struct.unpack(">Q", read(data, start + _HEAD, 8))
            head = _LONG_HEAD
        if length == 0:
            length = end - start
        if length < head or start + length > end:
            raise ValueError(f"box {kind!r} at byte {start} is cut short: {length} bytes, {end - start} left")
        yield Box(kind, start + head, start + length)
        start += length
    raise ValueError(f"there are more than {MAX_BOXES} boxes")


def content(data: ByteSource, box: Box) -> bytes:
    """Return what is in a box. Raises ValueError where it is very long or cut short."""
    if box.end - box.start > MAX_PAYLOAD_BYTES:
        raise ValueError(f"box {box.kind!r} has {box.end - box.start} bytes")
    return read(data, box.start, box.end - box.start)


def read(data: ByteSource, start: int, count: int) -> bytes:
    """Return ``count`` bytes from ``start`` on. Raises ValueError where the file ends before, InputError."""
    if start + count > data.size_bytes:
        raise ValueError(f"{start + count} bytes are needed, {data.size_bytes} found")
    found = bytearray(count)
    if data.read_into(memoryview(found), start) < count:
        raise ValueError(f"the file ends before byte {start + count}")
    return bytes(found)
