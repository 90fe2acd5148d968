"""The bytes of an image file, wherever it lies: what formats read from."""

import io
import os
from collections.abc import Iterable
from typing import Any, BinaryIO, Protocol, cast

from mpi_stage.errors import InputError, MissingInputError

Range = tuple[int, int]
"""Offset and count of bytes."""


class ByteSource(Protocol):
    """Random access to the bytes of one file or object, which do not change while it is open.

    Attributes
    ----------
    name: for messages.
    size_bytes: of the file.
    fd: a descriptor for fast paths that call the operating system themselves; -1 where there is none.

    """

    name: str
    size_bytes: int
    fd: int

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` (flat bytes) from ``offset`` on; return how many bytes there were.

        Fewer than ``len(view)`` means that the file ends there. Raises InputError.
        """

    def read_all(self) -> bytearray:
        """Return all bytes, held against their checksum where there is one. Raises InputError."""

    def expect(self, ranges: Iterable[Range]) -> None:
        """Learn which bytes are read next, in this order; far sources begin to fetch them."""

    def reserve(self, unit_bytes: int) -> int:
        """Be ready to be read to and fro within ``unit_bytes``; return the most memory that is held."""

    def close(self) -> None:
        """Release the file; safe to call twice."""


class FileSource:
    """A file of this machine; the system's cache fetches ahead by itself."""

    def __init__(self, path: str) -> None:
        """Open ``path``. Raises MissingInputError where it is missing, a folder or not to be read."""
        self.name = path
        self.fd = -1
        try:
            self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self.size_bytes = os.fstat(self.fd).st_size
            os.preadv(self.fd, [bytearray(1)], 0)  # a folder opens, but cannot be read
        except OSError as error:
            self.close()
            raise _unreadable(path, error) from error

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` on; see :class:`ByteSource`."""
        done = 0
        try:
            done = got = os.preadv(self.fd, [view], offset)
            while got and done < len(view):
                got = os.preadv(self.fd, [view[done:]], offset + done)
                done += got
        except OSError as error:
            at = offset + done
            raise InputError(f"{self.name} cannot be read at byte {at}: {error.strerror}.") from error
        return done

    def read_all(self) -> bytearray:
        """Return all bytes; raises InputError."""
        data = bytearray(self.size_bytes)
        got = self.read_into(memoryview(data), 0)
        del data[got:]
        return data

    def expect(self, ranges: Iterable[Range]) -> None:
        """Do nothing: see the class."""

    def reserve(self, unit_bytes: int) -> int:  # noqa: ARG002 (the protocol's argument)
        """Return 0: nothing is held."""
        return 0

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _unreadable(path: str, error: OSError) -> InputError:
    """Return the error for a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return MissingInputError(f"{path} does not exist.")
    if isinstance(error, IsADirectoryError):
        return MissingInputError(f"{path} is a folder; name one image in it.")
    if isinstance(error, PermissionError):
        return MissingInputError(f"{path} may not be read by this user.")
    return InputError(f"{path} cannot be read: {error.strerror}.")


class _Stream(io.RawIOBase):
    """A byte source as a raw stream."""

    def __init__(self, source: ByteSource) -> None:
        super().__init__()
        self._source, self._place = source, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._source.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError(
                f"a place of {base + offset} bytes is before the beginning of {self._source.name}"
            )
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (any buffer)
        view = memoryview(buffer).cast("B")
        got = self._source.read_into(view, self._place)
        self._place += got
        return got


def stream(source: ByteSource) -> BinaryIO:
    """Return ``source`` as a buffered file object for parsers; closing it leaves the source open."""
    return cast("BinaryIO", io.BufferedReader(_Stream(source)))


def read_start(source: ByteSource, count: int) -> bytes:
    """Return the first bytes, ``count`` at most; raises InputError."""
    found = bytearray(min(count, source.size_bytes))
    return bytes(found[: source.read_into(memoryview(found), 0)])
