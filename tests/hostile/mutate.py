"""Damage of every kind, the same for the same seed."""

import random
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

_NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    2**15 - 1,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
    2**64 - 1,
)
_HEAD_BYTES = 256
_MOST_CHANGES = 6
_SIGNATURE_BYTES = 8
_Change = Callable[[random.Random, bytearray], None]


def damaged(path: Path, folder: Path, seed: str) -> Path:
    """Write a damaged copy of a file, or of a folder of files, into ``folder``; return where."""
    drawn = random.Random(seed)
    target = folder / path.name
    if path.is_dir():
        shutil.copytree(path, target)
        files = sorted(one for one in target.rglob("*") if one.is_file())
        # Half of the damage to the metadata, without which no chunk is looked at.
        chosen = target / "zarr.json" if drawn.random() < 0.5 else drawn.choice(files)
        chosen.write_bytes(changed(drawn, chosen.read_bytes()))
    else:
        target.write_bytes(changed(drawn, path.read_bytes()))
    return target


def changed(drawn: random.Random, data: bytes) -> bytes:
    """Return bytes with a few changes; of a PNG mostly with checksums that are right."""
    result = bytearray(data)
    for _ in range(drawn.randint(1, _MOST_CHANGES)):
        drawn.choice(_CHANGES)(drawn, result)
    if result[:4] == b"\x89PNG" and drawn.random() < 0.8:
        return _with_checksums(result)
    return bytes(result)


def _place(drawn: random.Random, data: bytearray) -> int:
    """Draw a place, mostly where headers are: at the beginning, or (directories) near the end."""
    size = len(data)
    where = drawn.random()
    if where < 0.5:
        return drawn.randrange(min(size, _HEAD_BYTES) + 1)
    if where < 0.7:
        return size - drawn.randrange(min(size, _HEAD_BYTES) + 1)
    return drawn.randrange(size + 1)


def _flip(drawn: random.Random, data: bytearray) -> None:
    at = _place(drawn, data)
    if at < len(data):
        data[at] ^= 1 << drawn.randrange(8)


def _byte(drawn: random.Random, data: bytearray) -> None:
    at = _place(drawn, data)
    if at < len(data):
        data[at] = drawn.randrange(256)


def _number(drawn: random.Random, data: bytearray) -> None:
    """Write a number that programs stumble over, in either order, over what is there."""
    at, size = _place(drawn, data), drawn.choice((2, 4, 8))
    number = drawn.choice(_NUMBERS) % 2 ** (8 * size)
    data[at : at + size] = number.to_bytes(size, drawn.choice(("little", "big")))[: max(0, len(data) - at)]


def _cut(drawn: random.Random, data: bytearray) -> None:
    if drawn.random() < 0.3:
        del data[_place(drawn, data) :]


def _remove(drawn: random.Random, data: bytearray) -> None:
    at = _place(drawn, data)
    del data[at : at + drawn.randint(1, 40)]


def _repeat(drawn: random.Random, data: bytearray) -> None:
    at = _place(drawn, data)
    piece = bytes(data[at : at + drawn.randint(1, 64)])
    data[at:at] = piece * drawn.randint(1, 8)


def _copy(drawn: random.Random, data: bytearray) -> None:
    start, at, size = _place(drawn, data), _place(drawn, data), drawn.randint(1, 64)
    piece = data[start : start + size]
    data[at : at + len(piece)] = piece


def _noise(drawn: random.Random, data: bytearray) -> None:
    at, size = _place(drawn, data), drawn.randint(1, 32)
    data[at : at + size] = drawn.randbytes(size)


_CHANGES: tuple[_Change, ...] = (
    _flip,
    _flip,
    _byte,
    _byte,
    _number,
    _number,
    _number,
    _cut,
    _remove,
    _repeat,
    _copy,
    _noise,
)


def _with_checksums(data: bytearray) -> bytes:
    """Make the checksums of a PNG's chunks right, so that what is in them is looked at."""
    out, at = bytearray(data[:_SIGNATURE_BYTES]), _SIGNATURE_BYTES
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = bytes(data[at + 4 : at + 8 + length])
        if at + 12 + length > len(data):
            break
        out += struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out + data[at:])
