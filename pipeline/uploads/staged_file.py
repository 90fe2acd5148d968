"""The bytes of an upload so far, in one file of the staging area of a local store."""

import os
import threading
from pathlib import Path

from pipeline.errors import ChecksumError, OffsetError
from pipeline.stores.folders import store_error, write_all
from pipeline.uploads.checksum import extended, of_file, spelled

SYNC_BYTES = 64 << 20
"""What is written is put on the disk so often: a disk that is slower than the line holds the sender back."""

_OPEN = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class StagedFile:
    """Grows by what one writer at a time sends; safe to share between threads.

    A connection that was cut may leave a writer behind that has not noticed yet. Whoever goes on takes the
    turn from it, and what it still tries to write is refused.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        """Go on with the file at ``path``, if there is one, until it has ``size_bytes``."""
        self.path = path
        self._size_bytes = size_bytes
        self._lock = threading.Lock()
        self._turn = 0
        self._offset = self._crc32c = self._unsynced = 0

    def state(self) -> tuple[int, str]:
        """Return how many bytes there are, and their checksum. Raises StoreError."""
        with self._lock:
            self._look()
            return self._offset, spelled(self._crc32c)

    def take_turn(self, offset: int) -> int:
        """Become the one writer, from ``offset`` on; return the turn's number.

        Raises OffsetError where the file does not end at ``offset``.
        """
        with self._lock:
            self._look()
            if offset != self._offset:
                raise OffsetError(
                    f"{self.path.name} has {self._offset} bytes, and what was sent begins at {offset}; go on"
                    f" from {self._offset}",
                    offset=self._offset,
                )
            self._turn += 1
            return self._turn

    def write(self, turn: int, data: bytes) -> int:
        """Append ``data``; return how many bytes there are then.

        Raises OffsetError where somebody else has the turn, or for more than the file is to have.
        """
        with self._lock:
            if turn != self._turn:
                raise OffsetError("another connection goes on with this upload", offset=self._offset)
            if self._offset + len(data) > self._size_bytes:
                raise OffsetError(
                    f"{self.path.name} was to have {self._size_bytes} bytes, and {self._offset + len(data)}"
                    " were sent; add the file again",
                    offset=self._offset,
                )
            try:
                self._append(data)
            except OSError as error:
                self._turn += 1
                raise store_error(error, f"writing {self.path.name}", self.path.parent) from error
            return self._offset

    def complete(self, crc32c: str) -> None:
        """Check that all is there and has the checksum; nobody can write any more.

        Raises OffsetError where something is missing, ChecksumError.
        """
        with self._lock:
            self._look()
            self._turn += 1
            if self._offset != self._size_bytes:
                raise OffsetError(
                    f"{self.path.name} has {self._offset} of {self._size_bytes} bytes; send the rest",
                    offset=self._offset,
                )
            check_same(spelled(self._crc32c), crc32c)

    def remove(self) -> None:
        """Remove the file; nobody can write any more."""
        with self._lock:
            self._turn += 1
            self._offset = self._crc32c = 0
            self.path.unlink(missing_ok=True)

    def _append(self, data: bytes) -> None:
        fd = os.open(self.path, _OPEN, 0o666)
        try:
            if os.fstat(fd).st_size != self._offset:
                os.ftruncate(fd, self._offset)  # what a writing that failed has left
            write_all(fd, data)
            self._unsynced += len(data)
            if self._unsynced >= SYNC_BYTES:
                os.fdatasync(fd)
                self._unsynced = 0
        finally:
            os.close(fd)
        self._offset += len(data)
        self._crc32c = extended(self._crc32c, data)

    def _look(self) -> None:
        """See what is there, where it is not what this process has written: after a restart, or a sweep."""
        try:
            there = self.path.stat().st_size
        except FileNotFoundError:
            there = 0
        if there != self._offset:
            try:
                self._offset, self._crc32c = of_file(self.path) if there else (0, 0)
            except OSError as error:
                raise store_error(error, f"reading {self.path.name}", self.path.parent) from error


def check_same(found: str, stated: str) -> None:
    """Raise ChecksumError unless what has arrived has the checksum that the sender stated."""
    if found != stated:
        raise ChecksumError(
            f"the file did not arrive as it was sent: its CRC32C is {found} in the store, and {stated} in the"
            " browser; send it again"
        )
