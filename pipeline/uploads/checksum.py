"""CRC32C (Castagnoli, RFC 3720 appendix B.4), spelled as Google Cloud Storage and the browser's part do."""

import base64
from pathlib import Path

import google_crc32c

PIECE_BYTES = 1 << 20


def spelled(crc32c: int) -> str:
    """Return a checksum in base64, its most significant byte first."""
    return base64.b64encode(crc32c.to_bytes(4, "big")).decode()


def extended(crc32c: int, data: bytes) -> int:
    """Return the checksum of what had ``crc32c`` and ``data`` behind it."""
    return int(google_crc32c.extend(crc32c, data))


def of_file(path: Path) -> tuple[int, int]:
    """Return size and checksum of a file, read piece by piece. Raises OSError."""
    size_bytes = crc32c = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            size_bytes += len(piece)
            crc32c = extended(crc32c, piece)
    return size_bytes, crc32c
