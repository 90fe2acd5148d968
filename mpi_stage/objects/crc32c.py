"""CRC32C of several pieces as one: what Google Cloud Storage states of a composed object."""

import base64
from collections.abc import Iterable
from functools import cache

import google_crc32c

_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected (RFC 3720, appendix B.4)
_BITS = 32

Matrix = tuple[int, ...]
"""Over GF(2): the images of the 32 bits."""


def crc32c(data: bytes | bytearray | memoryview, before: int = 0) -> int:
    """Return the checksum of ``data``, or of what had the checksum ``before`` followed by it."""
    whole = data if isinstance(data, bytes) else bytes(data)  # the library takes nothing else
    return int(google_crc32c.extend(before, whole))


def combine(pieces: Iterable[tuple[int, int]]) -> int:
    """Return the checksum of pieces joined, given checksum and number of bytes of each.

    A zero byte appended changes a checksum linearly over GF(2); the matrix for ``n`` of them comes by
    squaring, as in ``crc32_combine`` of zlib (Mark Adler).
    """
    whole = 0
    for checksum, count in pieces:
        whole = _after_zeros(whole, count) ^ checksum
    return whole


def _after_zeros(checksum: int, count: int) -> int:
    """Return what ``count`` zero bytes make of a checksum, its final inversion left out."""
    exponent = 0
    while count and checksum:
        if count & 1:
            checksum = _times(_zero_bytes(exponent), checksum)
        count >>= 1
        exponent += 1
    return checksum


@cache
def _zero_bytes(exponent: int) -> Matrix:
    """Return the matrix of ``2 ** exponent`` zero bytes."""
    if exponent:
        return _squared(_zero_bytes(exponent - 1))
    one_bit = (_POLYNOMIAL, *(1 << bit for bit in range(_BITS - 1)))
    return _squared(_squared(_squared(one_bit)))


def _times(matrix: Matrix, vector: int) -> int:
    product = 0
    for column in matrix:
        if vector & 1:
            product ^= column
        vector >>= 1
        if not vector:
            break
    return product


def _squared(matrix: Matrix) -> Matrix:
    return tuple(_times(matrix, column) for column in matrix)


def encoded(checksum: int) -> str:
    """Return a checksum in base64, as the store states it."""
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()


def decoded(stated: str) -> int:
    """Return the checksum that the store states."""
    return int.from_bytes(base64.b64decode(stated), "big")


def stated_in(header: str) -> int | None:
    """Return the CRC32C of an ``x-goog-hash`` header, None where it has none."""
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "crc32c":
            return decoded(value)
    return None
