"""The front of a TIFF file: its header, one image file directory and the values of its tags.

After Adobe's *TIFF Revision 6.0* and the BigTIFF extension of libtiff.
"""

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.uint64]

ORDER = "<" if sys.byteorder == "little" else ">"
_MAGIC = b"II" if sys.byteorder == "little" else b"MM"
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _DOUBLE, _LONG8 = 2, 3, 4, 5, 7, 12, 16
_ALIGNMENT = 16
_RATIONAL_MAX = 2**32 - 1


@dataclass(frozen=True)
class Tag:
    """One entry of a directory: its code, the type and number of its values, and their bytes."""

    code: int
    kind: int
    count: int
    data: bytes


def shorts(code: int, *values: int) -> Tag:
    """Return a tag of 16-bit integers."""
    return Tag(code, _SHORT, len(values), struct.pack(f"{ORDER}{len(values)}H", *values))


def longs(code: int, *values: int) -> Tag:
    """Return a tag of 32-bit integers."""
    return Tag(code, _LONG, len(values), struct.pack(f"{ORDER}{len(values)}I", *values))


def text(code: int, value: str) -> Tag:
    """Return a tag of text, ended by a zero byte; UTF-8 beyond ASCII, as readers expect today."""
    data = value.replace("\x00", "").encode() + b"\x00"
    return Tag(code, _ASCII, len(data), data)


def opaque(code: int, value: bytes) -> Tag:
    """Return a tag of bytes that mean nothing to TIFF."""
    return Tag(code, _UNDEFINED, len(value), value)


def rationals(code: int, *values: float) -> Tag:
    """Return a tag of fractions of 32-bit integers, the nearest to ``values`` (not negative)."""
    parts: list[int] = []
    for value in values:
        nearest = Fraction(min(max(value, 0.0), float(_RATIONAL_MAX))).limit_denominator(10_000)
        while nearest.numerator > _RATIONAL_MAX:
            nearest = nearest.limit_denominator(max(1, nearest.denominator // 10))
        parts += [nearest.numerator, nearest.denominator]
    return Tag(code, _RATIONAL, len(values), struct.pack(f"{ORDER}{len(parts)}I", *parts))


def doubles(code: int, *values: float) -> Tag:
    """Return a tag of 64-bit floating-point numbers."""
    return Tag(code, _DOUBLE, len(values), struct.pack(f"{ORDER}{len(values)}d", *values))


def integers(code: int, values: Offsets, *, big: bool) -> Tag:
    """Return a tag of offsets or byte counts, 64 bits wide in a BigTIFF and 32 bits else."""
    return Tag(
        code, _LONG8 if big else _LONG, len(values), values.astype(np.uint64 if big else np.uint32).tobytes()
    )


def front(tags: Sequence[Tag], *, big: bool) -> bytes:
    """Lay out header, directory and values, padded to a multiple of 16 bytes.

    The length depends on the number and size of the values alone, never on what they are, so that
    the place of the pixels is known before the offsets are.
    """
    ordered = sorted(tags, key=lambda tag: tag.code)
    inline = 8 if big else 4
    entry = "HHQ" if big else "HHI"
    header = _MAGIC + struct.pack(ORDER + ("HHHQ" if big else "HI"), *((43, 8, 0, 16) if big else (42, 8)))
    number = struct.pack(ORDER + ("Q" if big else "H"), len(ordered))
    directory_bytes = len(number) + len(ordered) * (struct.calcsize(ORDER + entry) + inline) + inline
    place = len(header) + directory_bytes
    entries, values = bytearray(number), bytearray()
    for tag in ordered:
        entries += struct.pack(ORDER + entry, tag.code, tag.kind, tag.count)
        if len(tag.data) <= inline:
            entries += tag.data.ljust(inline, b"\x00")
            continue
        values += bytes(-(place + len(values)) % 8)
        entries += struct.pack(ORDER + ("Q" if big else "I"), place + len(values))
        values += tag.data
    entries += bytes(inline)
    whole = header + entries + values
    return whole + bytes(-len(whole) % _ALIGNMENT)
