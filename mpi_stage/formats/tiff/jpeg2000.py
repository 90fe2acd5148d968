"""JPEG 2000 images in TIFF segments (ITU-T T.800), bare or in boxes."""

import struct
from typing import Any

import imagecodecs

from mpi_stage.image import Pixels

_codecs: Any = imagecodecs  # its stubs know of no memoryviews
_START = b"\xff\x4f\xff\x51"  # a codestream and the marker of its size
_SEARCHED_BYTES = 1 << 16


def decode_jpeg2000(raw: memoryview, target: Pixels) -> None:
    """Decode ``raw`` into ``target`` (rows × columns × samples).

    Raises ValueError where it is of another size or type, RuntimeError where it does not decode.
    """
    found = _shape(raw)
    if found != target.shape:
        raise ValueError(f"it holds {found[1]} × {found[0]} px of {found[2]} values")
    pixels = _codecs.jpeg2k_decode(raw, numthreads=1)
    if pixels.dtype != target.dtype:
        raise ValueError(f"it holds values of type {pixels.dtype}")
    target[:] = pixels.reshape(target.shape)


def _shape(raw: memoryview) -> tuple[int, int, int]:
    """Return rows, columns and components as the codestream's SIZ marker says; raises ValueError."""
    place = bytes(raw[:_SEARCHED_BYTES]).find(_START)
    if place < 0:
        raise ValueError("it has no JPEG 2000 codestream")
    try:
        right, bottom, left, top = struct.unpack_from(">IIII", raw, place + 8)
        (components,) = struct.unpack_from(">H", raw, place + 40)
        steps = [raw[place + 43 + 3 * n : place + 45 + 3 * n].tobytes() for n in range(components)]
    except struct.error as error:
        raise ValueError("its header is cut short") from error
    if any(step != b"\x01\x01" for step in steps):
        raise ValueError("its components are of different sizes")
    return bottom - top, right - left, components
