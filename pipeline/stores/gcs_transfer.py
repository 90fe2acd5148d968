"""A writer that sums up what passes through it, to be compared with the checksum that a store states."""

import base64
from typing import IO

import google_crc32c


class SummingWriter:
    """Hands bytes on to a file and keeps their CRC32C (Castagnoli, RFC 3720 appendix B.4)."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write to ``file``, which stays the caller's to close."""
        self._file = file
        self._crc32c = 0

    def write(self, data: bytes) -> int:
        """Write all of ``data``; return how many bytes that were."""
        self._crc32c = google_crc32c.extend(self._crc32c, data)
        return self._file.write(data)

    def crc32c(self) -> str:
        """Return the checksum of all that was written, in base64 as Google Cloud Storage states it."""
        return base64.b64encode(self._crc32c.to_bytes(4, "big")).decode()
