"""Bytes of the objects below one root, by key and range: all that reading a Zarr needs of where it lies."""

import os
import stat
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from mpi_stage.errors import DamagedInputError, InputError, MissingInputError

MAX_DOCUMENT_BYTES = 8 << 20
"""Of the metadata of one node: parsed, they may be ten times as large."""

_OPEN_FILES = 32


class Tree(Protocol):
    """Objects by key (relative, ``/`` between segments).

    Attributes
    ----------
    root: names the whole in messages.
    held_bytes: the most memory that what is on its way takes.
    """

    root: str
    held_bytes: int

    def size(self, key: str) -> int | None:
        """Return an object's size in bytes, None where there is none. Raises InputError."""

    def read(self, key: str, offset: int, count: int) -> bytearray:
        """Return ``count`` bytes from ``offset`` on, fewer where the object ends. Raises InputError."""

    def expect(self, ranges: Iterable[tuple[str, int, int]]) -> None:
        """Take note of ranges (key, offset, count) that will be read next, so that all are on their way."""

    def close(self) -> None:
        """Release what is open; safe to call twice."""


class FolderTree:
    """The files below a folder; never one that a symbolic link leads to outside of it."""

    held_bytes = 0

    def __init__(self, root: str) -> None:
        """Serve the files below ``root``. Raises MissingInputError where there is no such folder."""
        self.root = root
        self._real = os.path.realpath(root)
        self._open: OrderedDict[str, tuple[int, int]] = OrderedDict()
        if not os.path.isdir(self._real):  # noqa: PTH112 (the path is a plain string throughout)
            raise MissingInputError(f"there is no folder {root}")

    def size(self, key: str) -> int | None:
        """Return a file's size, None where there is none."""
        found = self._file(key)
        return None if found is None else found[1]

    def read(self, key: str, offset: int, count: int) -> bytearray:
        """Read from a file; one that is missing has no bytes."""
        found = self._file(key)
        data = bytearray(count if found is not None else 0)
        done = 0
        try:
            while found is not None and done < count:
                got = os.preadv(found[0], [memoryview(data)[done:]], offset + done)
                if not got:
                    break
                done += got
        except OSError as error:
            at = offset + done
            raise InputError(f"{self._path(key)} cannot be read at byte {at}: {error.strerror}.") from error
        del data[done:]
        return data

    def expect(self, ranges: Iterable[tuple[str, int, int]]) -> None:
        """Have the operating system read ahead, in parallel."""
        for key, offset, count in ranges:
            found = self._file(key)
            if found is not None:
                with suppress(OSError):  # a hint; not every file system takes it
                    os.posix_fadvise(found[0], offset, count, os.POSIX_FADV_WILLNEED)

    def close(self) -> None:
        """Close all files."""
        while self._open:
            os.close(self._open.popitem()[1][0])

    def _path(self, key: str) -> str:
        return f"{self.root}/{key}"

    def _file(self, key: str) -> tuple[int, int] | None:
        """Return descriptor and size of a file; the last few stay open."""
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key]
        found = self._opened(key)
        if found is not None:
            self._open[key] = found
            if len(self._open) > _OPEN_FILES:
                os.close(self._open.popitem(last=False)[1][0])
        return found

    def _opened(self, key: str) -> tuple[int, int] | None:
        path = self._path(key)
        real = os.path.realpath(f"{self._real}/{key}")
        if not real.startswith(f"{self._real}/"):
            raise DamagedInputError(f"{path} leads out of {self.root}, to {real}; links may not do that.")
        try:
            # Not blocking: a pipe in the place of a file would otherwise be waited for.
            fd = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise MissingInputError(f"{path} may not be read by this user.") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.") from error
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            raise DamagedInputError(f"{path} should be a file and is none.")
        return fd, found.st_size
