"""Size and metadata of a WebP file, from its chunks (RFC 9649), without touching a pixel."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

_ANIMATED, _ALPHA = 0x02, 0x10
_CHUNK_BYTES = 8
_VP8_START = b"\x9d\x01\x2a"
_VP8L_START = 0x2F
_SIDE_MASK = 0x3FFF
_MAX_METADATA_BYTES = 64 << 20


@dataclass(frozen=True)
class WebpHeader:
    """What the chunks say; sizes in pixels."""

    columns: int
    rows: int
    alpha: bool
    animated: bool
    icc_profile: bytes | None
    exif: bytes | None
    other: tuple[str, ...]


def webp_header(file: BinaryIO, size: int) -> WebpHeader:
    """Walk the chunks of a file of ``size`` bytes.

    Raises ValueError where they are cut short or no image is among them.
    """
    declared = struct.unpack("<4xI4x", file.read(12))[0] + _CHUNK_BYTES
    if declared > size:
        raise ValueError(f"{declared} bytes declared, {size} found")
    extended: bytes | None = None
    image: tuple[int, int, bool] | None = None
    blobs: dict[bytes, bytes] = {}
    place = 12
    while place + _CHUNK_BYTES <= declared:
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(_CHUNK_BYTES))
        if place + _CHUNK_BYTES + length > declared:
            raise ValueError(f"chunk {name!r} at byte {place} is cut short")
        if name == b"VP8X":
            extended = file.read(10)
        elif name in (b"VP8 ", b"VP8L"):
            image = _image(name, file.read(10))
        elif name in (b"ICCP", b"EXIF", b"XMP ") and length <= _MAX_METADATA_BYTES:
            blobs[name] = file.read(length)
        place += _CHUNK_BYTES + length + length % 2
    return _combine(extended, image, blobs)


def image_size(data: bytes | memoryview) -> tuple[int, int]:
    """Return rows and columns of a WebP image in memory; raises ValueError where it is none or animated."""
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WEBP":
        raise ValueError("it does not begin like WebP")
    name, start = bytes(data[12:16]), bytes(data[20:30])
    try:
        if name == b"VP8X":
            if start[0] & _ANIMATED:
                raise ValueError("it is animated")
            sides = (int.from_bytes(start[at : at + 3], "little") + 1 for at in (7, 4))
            return next(sides), next(sides)
        columns, rows, _ = _image(name, start)
    except (struct.error, IndexError) as error:
        raise ValueError("its header is cut short") from error
    return rows, columns


def _image(name: bytes, data: bytes) -> tuple[int, int, bool]:
    """Return columns, rows and whether there is alpha, from the start of an image chunk."""
    if name == b"VP8 ":
        if data[3:6] != _VP8_START:
            raise ValueError("the image chunk does not begin with a key frame")
        columns, rows = struct.unpack("<HH", data[6:10])
        return columns & _SIDE_MASK, rows & _SIDE_MASK, False
    signature, bits = struct.unpack("<BI", data[:5])
    if signature != _VP8L_START:
        raise ValueError("the lossless image chunk has a wrong signature")
    return (bits & _SIDE_MASK) + 1, (bits >> 14 & _SIDE_MASK) + 1, bool(bits >> 28 & 1)


def _combine(
    extended: bytes | None, image: tuple[int, int, bool] | None, blobs: dict[bytes, bytes]
) -> WebpHeader:
    """Put together what the chunks said."""
    other = ("XMP",) if b"XMP " in blobs else ()
    icc_profile, exif = blobs.get(b"ICCP"), blobs.get(b"EXIF")
    if extended is not None and len(extended) == 10:  # noqa: PLR2004 (flags, reserved, two sizes of 3 bytes)
        columns = int.from_bytes(extended[4:7], "little") + 1
        rows = int.from_bytes(extended[7:10], "little") + 1
        flags = extended[0]
        if image is None and not flags & _ANIMATED:
            raise ValueError("there is no image chunk")
        alpha = bool(flags & _ALPHA)
        return WebpHeader(columns, rows, alpha, bool(flags & _ANIMATED), icc_profile, exif, other)
    if image is None:
        raise ValueError("there is no image chunk")
    return WebpHeader(*image, animated=False, icc_profile=icc_profile, exif=exif, other=other)
