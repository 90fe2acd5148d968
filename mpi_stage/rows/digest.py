"""The digest of an image's pixels: the same for any number of ranks, computed where the rows are.

It is the SHA-256 of the SHA-256 digests of all rows, top to bottom, behind a line that states the
image's size and type. A row is hashed as its values lie in memory: little-endian, channels
innermost. Unlike one long hash, a rank can hash its own rows, and nobody has to see them all.
"""

import hashlib
from collections.abc import Iterable

from mpi_stage.image import ImageSpec, Pixels

ROW_BYTES = 32
"""Of the digest of a row."""


class RowDigest:
    """The digests of one rank's rows."""

    def __init__(self, first: int = 0) -> None:
        """Start without rows; the rank's begin with row ``first``."""
        self._first = self._next = first
        self._digests = bytearray()

    def update(self, rows: Pixels, first: int | None = None) -> None:
        """Add rows × columns × channels pixels from row ``first`` on, or where the last call ended."""
        self.put(self._next if first is None else first, row_digests(rows))

    def put(self, first: int, digests: bytes) -> None:
        """Set the digests of rows from ``first`` on."""
        begin = self._place(first)
        self._digests.extend(bytes(max(0, begin - len(self._digests))))
        self._digests[begin : begin + len(digests)] = digests
        self._next = first + len(digests) // ROW_BYTES

    def of(self, first: int, end: int) -> bytes:
        """Return the digests of some rows, all of which must have been given."""
        return bytes(self._digests[self._place(first) : self._place(end)])

    def joined(self) -> bytes:
        """Return the rows' digests, 32 bytes each."""
        return bytes(self._digests)

    def _place(self, row: int) -> int:
        return (row - self._first) * ROW_BYTES


def row_digests(rows: Pixels) -> bytes:
    """Return the digests of rows × columns × channels pixels, one behind the other."""
    little = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
    return b"".join(hashlib.sha256(row.data).digest() for row in little)


def combine(spec: ImageSpec, parts: Iterable[bytes]) -> str:
    """Return the digest, in hexadecimal, from the ranks' parts in the order of their rows."""
    whole = hashlib.sha256(f"{spec.rows} {spec.columns} {spec.channels} {spec.dtype}\n".encode())
    for part in parts:
        whole.update(part)
    return whole.hexdigest()


def pixels_sha256(pixels: Pixels) -> str:
    """Return the digest of a whole image (rows × columns × channels) held in memory."""
    rows, columns, channels = pixels.shape
    digest = RowDigest()
    digest.update(pixels)
    return combine(ImageSpec(rows, columns, channels, str(pixels.dtype)), [digest.joined()])
