"""The digest of an image's pixels: the same for any number of ranks, computed where the rows are.

It is the SHA-256 of the SHA-256 digests of all rows, top to bottom, behind a line that states the
image's size and type. A row is hashed as its values lie in memory: little-endian, channels
innermost. Unlike one long hash, a rank can hash its own rows, and nobody has to see them all.
"""

import hashlib
from collections.abc import Iterable

from mpi_stage.image import ImageSpec, Pixels


class RowDigest:
    """The digests of one rank's rows, in order."""

    def __init__(self) -> None:
        """Start without rows."""
        self._digests: list[bytes] = []

    def update(self, rows: Pixels) -> None:
        """Add rows × columns × channels pixels, continuing where the last call ended."""
        little = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
        self._digests.extend(hashlib.sha256(row.data).digest() for row in little)

    def joined(self) -> bytes:
        """Return the rows' digests, 32 bytes each."""
        return b"".join(self._digests)


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
