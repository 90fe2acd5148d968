"""Size, type and metadata of a JPEG 2000 file, from its boxes and main header; no pixel is decoded.

After ISO/IEC 15444-1 (codestream: annex A, JP2 file: annex I) and *GeoJP2* for the georeference.
"""

import struct
from contextlib import suppress
from dataclasses import dataclass, field

from mpi_stage.errors import UnsupportedFormatError
from mpi_stage.formats.boxes import Box, boxes, content, read
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.geo import GeoReference, geo_reference
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.memory import MemorySource
from mpi_stage.formats.tiff.directory import TiffFile
from mpi_stage.formats.tiff.metadata import GEO_TAGS
from mpi_stage.image import ImageSpec

CODESTREAM_START = b"\xff\x4f\xff\x51"
_SIZ = struct.Struct(">HH8IH")
_MAX_COMPONENTS = 16_384
_DEPTHS = range(8, 17)
_BYTE_BITS = 8
_GEO_JP2 = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_UUID_BYTES = 16
_COLOURS = {0, 16, 17}  # not stated, sRGB, gray
_COLOUR_NAMES = {12: "CMYK ink", 14: "CIE L*a*b*", 18: "luma and chroma (sYCC)"}
_ENUMERATED, _RESTRICTED_PROFILE, _ANY_PROFILE = 1, 2, 3
_OPACITY, _PREMULTIPLIED = 1, 2
_GRAY_ALPHA = 2
_CENTIMETERS_PER_METER = 100


@dataclass
class _Found:
    """What the boxes of a file said."""

    codestream: int = -1
    icc_profile: bytes | None = None
    colour: int = 0
    palette: bool = False
    definitions: list[tuple[int, int, int]] = field(default_factory=list)
    resolution: tuple[float, float, str] | None = None
    geo: GeoReference | None = None
    other: list[str] = field(default_factory=list)


def parse_jpeg2000(data: ByteSource) -> tuple[ImageSpec, Metadata, int]:
    """Return the image's spec and metadata, and the number of its components.

    They differ from the channels where gray with alpha becomes four of them. Raises ValueError where
    the file is cut short or contradicts itself, UnsupportedFormatError for kinds not read.
    """
    found = _Found()
    if read(data, 0, len(CODESTREAM_START)) == CODESTREAM_START:
        found.codestream = 0
    else:
        _walk(data, found)
    if found.codestream < 0:
        raise ValueError("there is no codestream")
    rows, columns, depths = _size(data, found.codestream)
    _check(data.name, depths, found)
    alpha = any(kind in {_OPACITY, _PREMULTIPLIED} for _, kind, _ in found.definitions)
    if any(kind == _PREMULTIPLIED for _, kind, _ in found.definitions):
        found.other.append("premultiplied alpha")
    channels = 4 if alpha and len(depths) == _GRAY_ALPHA else len(depths)
    spec = ImageSpec(rows, columns, channels, "uint8" if depths[0] == _BYTE_BITS else "uint16")
    metadata = Metadata(
        icc_profile=found.icc_profile,
        resolution=found.resolution,
        geo=found.geo,
        other=tuple(dict.fromkeys(found.other)),
    )
    return spec, metadata, len(depths)


def _walk(data: ByteSource, found: _Found) -> None:
    """Look at all boxes of a file."""
    for box in boxes(data, 0, data.size_bytes):
        if box.kind == b"jp2h":
            for inner in boxes(data, box.start, box.end):
                _take(data, inner, found)
        elif box.kind == b"jp2c" and found.codestream < 0:
            found.codestream = box.start
        elif box.kind == b"jp2c":
            found.other.append("further pages")
        elif box.kind == b"uuid":
            _take_uuid(content(data, box), found)
        elif box.kind in {b"xml ", b"asoc"}:
            found.other.append("XML")


def _take(data: ByteSource, box: Box, found: _Found) -> None:
    """Look at one box of the image's header."""
    if box.kind == b"colr":
        payload = content(data, box)
        if payload[:1] == bytes([_ENUMERATED]) and not found.colour:
            (found.colour,) = struct.unpack(">I", payload[3:7])
        elif payload[:1] in {bytes([_RESTRICTED_PROFILE]), bytes([_ANY_PROFILE])}:
            found.icc_profile = payload[3:]
    elif box.kind == b"pclr":
        found.palette = True
    elif box.kind == b"cdef":
        payload = content(data, box)
        found.definitions = list(struct.iter_unpack(">HHH", payload[2 : 2 + 6 * (len(payload[2:]) // 6)]))
    elif box.kind == b"res ":
        for inner in boxes(data, box.start, box.end):
            if inner.kind == b"resd" or found.resolution is None:
                found.resolution = _resolution(content(data, inner)) or found.resolution


def _take_uuid(payload: bytes, found: _Found) -> None:
    """Look at a box of somebody's own kind."""
    if payload[:_UUID_BYTES] == _GEO_JP2:
        with suppress(ValueError, KeyError, struct.error):
            first = TiffFile(MemorySource("GeoJP2", payload[_UUID_BYTES:])).first
            found.geo = geo_reference({code: first.value(code) for code in GEO_TAGS})
        if found.geo is None:
            found.other.append("GeoTIFF tags that contradict one another")
    elif payload[:_UUID_BYTES] == _XMP:
        found.other.append("XMP")


def _resolution(payload: bytes) -> tuple[float, float, str] | None:
    """Return pixels per centimeter across and down, from a fraction and an exponent of ten each."""
    down, down_by, across, across_by, down_power, across_power = struct.unpack(">HHHHbb", payload[:10])
    if not all((down, down_by, across, across_by)):
        return None
    per_meter = (across / across_by * 10.0**across_power, down / down_by * 10.0**down_power)
    return per_meter[0] / _CENTIMETERS_PER_METER, per_meter[1] / _CENTIMETERS_PER_METER, "centimeter"


def _size(data: ByteSource, place: int) -> tuple[int, int, list[int]]:
    """Return rows, columns and the depth of each component in bits, negative if it has a sign."""
    start = read(data, place, 4 + _SIZ.size)
    if start[:4] != CODESTREAM_START:
        raise ValueError(f"no codestream begins at byte {place}")
    _, _, right, bottom, left, top, *_, components = _SIZ.unpack(start[4:])
    if not 1 <= components <= _MAX_COMPONENTS or right <= left or bottom <= top:
        raise ValueError(f"an image from {left}, {top} to {right}, {bottom} of {components} components")
    table = read(data, place + 4 + _SIZ.size, 3 * components)
    depths = []
    for depth, across, down in struct.iter_unpack(">BBB", table):
        if (across, down) != (1, 1):
            raise UnsupportedFormatError(
                f"{data.name} has components of different sizes (every {across} × {down} px); only "
                "whole ones are read. Convert it to RGB."
            )
        bits = (depth & 0x7F) + 1
        depths.append(-bits if depth & 0x80 else bits)
    return bottom - top, right - left, depths


def _check(name: str, depths: list[int], found: _Found) -> None:
    """Raise UnsupportedFormatError for what is not read."""
    if len(set(depths)) > 1 or depths[0] not in _DEPTHS:
        kinds = ", ".join(f"{'signed ' if bits < 0 else ''}{abs(bits)}" for bits in sorted(set(depths)))
        raise UnsupportedFormatError(
            f"{name} has values of {kinds} bits; unsigned ones of 8 to 16 bits, the same for all channels, "
            "are read. Convert it first."
        )
    if found.palette:
        raise UnsupportedFormatError(
            f"{name} has a palette, which is not read in JPEG 2000. Convert it to RGB."
        )
    if found.colour not in _COLOURS:
        colour = _COLOUR_NAMES.get(found.colour, f"colour of kind {found.colour}")
        raise UnsupportedFormatError(f"{name} stores {colour}; gray and RGB are read. Convert it to RGB.")
    for channel, kind, meaning in found.definitions:
        if kind == 0 and meaning not in {0, channel + 1, 65_535}:
            raise UnsupportedFormatError(
                f"{name} has its colours in another order than RGB. Convert it first."
            )
