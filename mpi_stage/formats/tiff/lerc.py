"""LERC streams in TIFF segments as libtiff has them: version 4, bare or inside deflate or zstd.

The layout of the header is that of Esri's *Lerc2* source (https://github.com/Esri/lerc).
"""

import struct
from typing import Any

import imagecodecs
import numpy as np

from mpi_stage.formats.tiff.coding import LERC_VERSION
from mpi_stage.image import Pixels

_codecs: Any = imagecodecs  # its stubs know of no memoryviews
_MAGIC = b"Lerc2 "
_FIRST_WITH_CHECKSUM, _FIRST_WITH_DEPTH, _LAST = 3, 4, 6
_INNER_GROWTH = 1.25
_INNER_EXTRA_BYTES = 1 << 16
_INNER = {"lerc-deflate": _codecs.deflate_decode, "lerc-zstd": _codecs.zstd_decode}
_DEFLATE_LEVEL, _ZSTD_LEVEL = 6, 3


def most_bytes(decoded_bytes: int) -> int:
    """Return the most bytes that the stream of ``decoded_bytes`` of pixels takes by itself."""
    return int(decoded_bytes * _INNER_GROWTH) + _INNER_EXTRA_BYTES


def decode_lerc(raw: memoryview, compression: str, target: Pixels) -> None:
    """Decode ``raw`` into ``target`` (rows × columns × samples, C-contiguous).

    Floats without data become NaN.
    Raises ValueError where the stream is of another size, RuntimeError where it does not decode.
    """
    inner = _INNER.get(compression)
    if inner is not None:
        raw = memoryview(inner(raw, out=np.empty(most_bytes(target.nbytes), np.uint8)))
    rows, columns, depth = _shape(raw)
    if (rows, columns) != target.shape[:2] or depth not in (1, target.shape[2]):
        raise ValueError(f"it holds {columns} × {rows} px of {depth} values")
    if depth == target.shape[2]:
        place = target if depth > 1 else target[..., 0]
        _, valid = _codecs.lerc_decode(raw, masks=True, out=place)
        if target.dtype.kind == "f" and valid is not None and not valid.all():
            target[~valid.reshape(rows, columns)] = np.nan
        return
    planes = np.empty((target.shape[2], rows, columns), target.dtype)
    _, valid = _codecs.lerc_decode(raw, masks=True, out=planes)
    if target.dtype.kind == "f" and valid is not None:
        planes[~np.broadcast_to(valid, planes.shape)] = np.nan
    target[:] = np.moveaxis(planes, 0, 2)


def encode_lerc(segment: Pixels, compression: str, greatest_error: float) -> bytes:
    """Encode a segment (rows × columns × channels), no value further off than ``greatest_error``.

    Where some channels of a pixel are NaN and others not, each channel becomes a stream of its own.
    """
    values, planar = segment, False
    if segment.dtype.kind == "f" and segment.shape[2] > 1:
        empty = np.isnan(segment)
        planar = bool((empty.any(axis=2) != empty.all(axis=2)).any())
    if planar:
        values = np.ascontiguousarray(np.moveaxis(segment, 2, 0))
    elif segment.shape[2] == 1:
        values = segment[..., 0]
    # The library leaves bytes at the end of its streams as they are in memory, so that has to be zero.
    room = bytearray(most_bytes(segment.nbytes))
    stream: memoryview = _codecs.lerc_encode(
        values, level=greatest_error, version=LERC_VERSION, planar=planar, out=room
    )
    if compression == "lerc-deflate":
        return bytes(_codecs.deflate_encode(stream, level=_DEFLATE_LEVEL))
    if compression == "lerc-zstd":
        return bytes(_codecs.zstd_encode(stream, level=_ZSTD_LEVEL))
    return bytes(stream)


def _shape(raw: memoryview) -> tuple[int, int, int]:
    """Return rows, columns and values per pixel of the first stream; raises ValueError where it is none."""
    if bytes(raw[: len(_MAGIC)]) != _MAGIC:
        raise ValueError("it does not begin like LERC")
    try:
        (version,) = struct.unpack_from("<i", raw, len(_MAGIC))
        place = len(_MAGIC) + 4 + 4 * (version >= _FIRST_WITH_CHECKSUM)
        rows, columns = struct.unpack_from("<ii", raw, place)
        depth = struct.unpack_from("<i", raw, place + 8)[0] if version >= _FIRST_WITH_DEPTH else 1
    except struct.error as error:
        raise ValueError("its header is cut short") from error
    if version > _LAST:
        raise ValueError(f"it is of version {version}")
    return rows, columns, depth
