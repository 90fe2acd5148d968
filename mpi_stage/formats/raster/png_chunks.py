"""The chunks of a PNG file: its header, and the metadata to put before the pixels.

After the *PNG Specification, Third Edition* (W3C).
"""

import struct
import zlib
from dataclasses import dataclass

HEADER_BYTES = 33  # signature, then length, name, 13 bytes and checksum
_METRE_PER_INCH = 0.0254
_CENTIMETRES_PER_METRE = 100
_KEYWORD = b"Description\x00"


@dataclass(frozen=True)
class PngKind:
    """Bit depth and colour type (0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA) of a PNG."""

    depth: int
    colour: int


def png_kind(start: bytes) -> PngKind:
    """Return the kind from the first HEADER_BYTES bytes; raises ValueError where there is no header chunk."""
    if len(start) < HEADER_BYTES or start[12:16] != b"IHDR":
        raise ValueError("no IHDR chunk")
    return PngKind(depth=start[24], colour=start[25])


def with_metadata(
    png: bytes | bytearray,
    *,
    icc_profile: bytes | None,
    resolution: tuple[float, float, str] | None,
    description: str | None,
    exif: bytes | None,
) -> bytes:
    """Return ``png`` with the metadata's chunks after its header."""
    chunks = []
    if icc_profile:
        chunks.append(_chunk(b"iCCP", b"ICC profile\x00\x00" + zlib.compress(icc_profile, 9)))
    if resolution:
        chunks.append(_chunk(b"pHYs", _physical(resolution)))
    if description:
        chunks.append(_text(description))
    if exif:
        chunks.append(_chunk(b"eXIf", exif))
    return b"".join([png[:HEADER_BYTES], *chunks, png[HEADER_BYTES:]])


def _physical(resolution: tuple[float, float, str]) -> bytes:
    """Return pixels per metre, or a bare aspect ratio."""
    across, down, unit = resolution
    scale = {"inch": 1 / _METRE_PER_INCH, "centimeter": _CENTIMETRES_PER_METRE}.get(unit, 1)
    values = [max(1, min(round(value * scale), 2**31 - 1)) for value in (across, down)]
    return struct.pack(">IIB", *values, int(unit != "none"))


def _text(description: str) -> bytes:
    """Return the text as a Latin-1 chunk where it can be, else as UTF-8."""
    clean = description.replace("\x00", "")
    try:
        return _chunk(b"tEXt", _KEYWORD + clean.encode("latin-1"))
    except UnicodeEncodeError:
        return _chunk(b"iTXt", _KEYWORD + bytes(4) + clean.encode())


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
