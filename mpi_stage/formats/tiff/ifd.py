"""The front of a TIFF file: its header, its image file directories and the values of their tags.

After Adobe's *TIFF Revision 6.0* and the BigTIFF extension of libtiff.
"""

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mpi_stage.formats.tiff import codes

Offsets = NDArray[np.uint64]

ORDER = "<" if sys.byteorder == "little" else ">"
_MAGIC = b"II" if sys.byteorder == "little" else b"MM"
_ALIGNMENT = 16
_VALUE_ALIGNMENT = 8
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
    return Tag(code, codes.TYPE_SHORT, len(values), struct.pack(f"{ORDER}{len(values)}H", *values))


def longs(code: int, *values: int) -> Tag:
    """Return a tag of 32-bit integers."""
    return Tag(code, codes.TYPE_LONG, len(values), struct.pack(f"{ORDER}{len(values)}I", *values))


def text(code: int, value: str) -> Tag:
    """Return a tag of text, ended by a zero byte; UTF-8 beyond ASCII, as readers expect today."""
    data = value.replace("\x00", "").encode() + b"\x00"
    return Tag(code, codes.TYPE_ASCII, len(data), data)


def opaque(code: int, value: bytes) -> Tag:
    """Return a tag of bytes that mean nothing to TIFF."""
    return Tag(code, codes.TYPE_UNDEFINED, len(value), value)


def rationals(code: int, *values: float) -> Tag:
    """Return a tag of fractions of 32-bit integers, the nearest to ``values`` (not negative)."""
    parts: list[int] = []
    for value in values:
        nearest = Fraction(min(max(value, 0.0), float(_RATIONAL_MAX))).limit_denominator(10_000)
        while nearest.numerator > _RATIONAL_MAX:
            nearest = nearest.limit_denominator(max(1, nearest.denominator // 10))
        parts += [nearest.numerator, nearest.denominator]
    return Tag(code, codes.TYPE_RATIONAL, len(values), struct.pack(f"{ORDER}{len(parts)}I", *parts))


def doubles(code: int, *values: float) -> Tag:
    """Return a tag of 64-bit floating-point numbers."""
    return Tag(code, codes.TYPE_DOUBLE, len(values), struct.pack(f"{ORDER}{len(values)}d", *values))


def integers(code: int, values: Offsets, *, big: bool) -> Tag:
    """Return a tag of offsets or byte counts, 64 bits wide in a BigTIFF and 32 bits else."""
    kind, dtype = (codes.TYPE_LONG8, np.uint64) if big else (codes.TYPE_LONG, np.uint32)
    return Tag(code, kind, len(values), values.astype(dtype).tobytes())


def front(directories: Sequence[Sequence[Tag]], *, big: bool, preamble: bytes = b"") -> bytes:
    """Lay out header, ``preamble``, directories and values, padded to a multiple of 16 bytes.

    Each directory points to the next. The length depends on the number and size of the values alone,
    never on what they are, so that the place of the pixels is known before the offsets are.
    """
    first = (16 if big else 8) + len(preamble)
    first += -first % _VALUE_ALIGNMENT
    version = struct.pack(ORDER + ("HHHQ" if big else "HI"), *((43, 8, 0, first) if big else (42, first)))
    whole = (_MAGIC + version + preamble).ljust(first, b"\x00")
    for number, tags in enumerate(directories, 1):
        whole += _directory(tags, len(whole), big=big, last=number == len(directories))
    return whole + bytes(-len(whole) % _ALIGNMENT)


def _directory(tags: Sequence[Tag], place: int, *, big: bool, last: bool) -> bytes:
    """Return one directory that begins at byte ``place``, its values behind it."""
    ordered = sorted(tags, key=lambda tag: tag.code)
    inline = 8 if big else 4
    entry = ORDER + ("HHQ" if big else "HHI")
    offset = ORDER + ("Q" if big else "I")
    entries = bytearray(struct.pack(ORDER + ("Q" if big else "H"), len(ordered)))
    values_at = place + len(entries) + len(ordered) * (struct.calcsize(entry) + inline) + inline
    values = bytearray()
    for tag in ordered:
        entries += struct.pack(entry, tag.code, tag.kind, tag.count)
        if len(tag.data) <= inline:
            entries += tag.data.ljust(inline, b"\x00")
            continue
        values += bytes(-(values_at + len(values)) % _VALUE_ALIGNMENT)
        entries += struct.pack(offset, values_at + len(values))
        values += tag.data
    values += bytes(-(values_at + len(values)) % _VALUE_ALIGNMENT)
    entries += struct.pack(offset, 0 if last else values_at + len(values))
    return bytes(entries + values)
