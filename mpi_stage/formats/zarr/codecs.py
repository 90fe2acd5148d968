"""Turning the bytes of a Zarr chunk into values and back, through imagecodecs."""

import struct
from typing import Any

import google_crc32c
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.zarr.array import COMPRESSORS, CRC_BYTES, Codecs
from mpi_stage.formats.zarr.coding import ZarrCoding

_BLOSC_SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
_DECODERS = {
    "zstd": imagecodecs.zstd_decode,
    "gzip": imagecodecs.gzip_decode,
    "blosc": imagecodecs.blosc_decode,
}
_GROWTH_BYTES = 64 << 10


def most_stored_bytes(chunk_bytes: int) -> int:
    """Return how many bytes an encoded chunk may have: codecs hardly enlarge what they cannot reduce."""
    return chunk_bytes + chunk_bytes // 8 + _GROWTH_BYTES


def checksum(data: bytes | bytearray | memoryview) -> bytes:
    """Return the CRC-32C of ``data`` as it is stored, in 4 bytes."""
    return struct.pack("<I", google_crc32c.value(bytes(data)))


def without_checksum(data: bytes | bytearray, what: str) -> bytes:
    """Return ``data`` without the checksum at its end. Raises DamagedInputError where that differs."""
    body = bytes(data[:-CRC_BYTES])
    if len(data) < CRC_BYTES or checksum(body) != data[-CRC_BYTES:]:
        raise DamagedInputError(f"{what} does not have the checksum stored with it. Get a fresh copy.")
    return body


def decode_chunk(data: bytes | bytearray, codecs: Codecs, values: NDArray[Any], what: str) -> None:
    """Decode ``data`` into ``values`` (contiguous, native byte order); ``what`` names it in errors.

    Raises DamagedInputError.
    """
    flat = values.reshape(-1).view(np.uint8)
    before = codecs.chain.index(codecs.compressor) if codecs.compressor != "none" else 0
    left = list(codecs.chain)
    while left:
        name = left.pop()
        if name == "crc32c":
            data = without_checksum(data, what)
            continue
        out: Any = flat if before == 0 else np.empty(flat.size + CRC_BYTES * before, np.uint8)
        try:
            size = len(_DECODERS[name](data, out=out))
        except (RuntimeError, ValueError, TypeError) as error:
            raise _damaged(what, f"its {len(data)} bytes do not decode as {name}: {error}") from error
        if size != out.size:
            raise _damaged(what, f"it decodes to {size} bytes, and {out.size} are expected")
        if before == 0:
            _to_native(values, codecs)
            return
        data = out.tobytes()
    if len(data) != flat.size:
        raise _damaged(what, f"it has {len(data)} bytes, and {flat.size} are expected")
    flat[:] = np.frombuffer(data, np.uint8)
    _to_native(values, codecs)


def encode_chunk(values: Any, coding: ZarrCoding) -> bytes | bytearray:  # noqa: ANN401 (codecs' stubs)
    """Encode a contiguous array of little-endian values; the same bytes every time."""
    if coding.name == "zstd":
        return imagecodecs.zstd_encode(values, level=coding.level)
    if coding.name == "gzip":
        return imagecodecs.gzip_encode(values, level=coding.level)
    if coding.name == "blosc":
        return imagecodecs.blosc_encode(
            values.reshape(-1).view(np.uint8),
            level=coding.level,
            compressor="zstd",
            shuffle=_BLOSC_SHUFFLES[blosc_shuffle(values.itemsize)],
            typesize=values.itemsize,
            numthreads=1,
        )
    found: bytes = values.tobytes()
    return found


def blosc_shuffle(itemsize: int) -> str:
    """Return how blosc reorders values before it compresses them: bits of bytes, bytes of larger ones."""
    return "bitshuffle" if itemsize == 1 else "shuffle"


def codec_documents(coding: ZarrCoding, itemsize: int) -> list[dict[str, Any]]:
    """Return the metadata of the codecs by which :func:`encode_chunk` encodes."""
    documents: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    configurations: dict[str, dict[str, Any]] = {
        "zstd": {"level": coding.level, "checksum": False},
        "gzip": {"level": coding.level},
        "blosc": {
            "cname": "zstd",
            "clevel": coding.level,
            "shuffle": blosc_shuffle(itemsize),
            "typesize": itemsize,
            "blocksize": 0,
        },
    }
    if coding.name in COMPRESSORS:
        documents.append({"name": coding.name, "configuration": configurations[coding.name]})
    return documents


def _to_native(values: NDArray[Any], codecs: Codecs) -> None:
    if values.itemsize > 1 and not codecs.little:
        values.byteswap(inplace=True)


def _damaged(what: str, how: str) -> DamagedInputError:
    return DamagedInputError(f"{what} is damaged: {how}. Get a fresh copy.")
