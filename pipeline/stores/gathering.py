"""Many objects of a local store put on the disk together, in a fraction of the time that each would take."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.models import ObjectInfo
from pipeline.stores.folders import Root, open_folder
from pipeline.stores.staging import Staging

MOST_OPEN = 256
"""Files that stay open until all are synced; of a folder with more, the others are synced at once."""

_BEGIN_WRITING = 2  # SYNC_FILE_RANGE_WRITE
_LIBC = ctypes.CDLL(None)


@dataclass
class _Staged:
    """A file that waits to become an object; ``fd`` is -1 where there is nothing to be written."""

    segments: tuple[str, ...]
    path: Path
    fd: int
    create_only: bool


class Gathering(Staging):
    """Stages files as its base does, and makes objects of all of them in the end.

    A file system with a journal writes all that has changed with the first sync; those that follow find
    little left to do, if the system has been told before to begin with the files' contents. No object
    appears before what is in it is on the disk. For one thread.
    """

    def __init__(self, folder: Path, objects: Root) -> None:
        """Stage in ``folder`` what is to lie below ``objects``."""
        super().__init__(folder, objects, durable=True)
        self._waiting: list[_Staged] = []

    @contextmanager
    def new_file(self) -> Iterator[tuple[int, Path]]:
        """Yield descriptor and path of a new file, which is kept if it has been committed."""
        fd, staged = self.created()
        before = len(self._waiting)
        try:
            yield fd, staged
        finally:
            if len(self._waiting) == before:
                os.close(fd)
                staged.unlink(missing_ok=True)

    def holds(self, path: Path, fd: int) -> bool:  # noqa: ARG002  (the base's arguments)
        """Return False: files of others are copied."""
        return False

    def commit(
        self, segments: tuple[str, ...], staged: Path, fd: int, *, create_only: bool, durable: bool = True
    ) -> ObjectInfo:
        """Note that a staged file is to become an object; return what will be known of it."""
        info = self.stamped(segments, fd)
        written = bool(info.size_bytes) and durable
        if written and sum(one.fd >= 0 for one in self._waiting) >= MOST_OPEN:
            os.fsync(fd)
            written = False
        if not written:
            os.close(fd)
            fd = -1
        self._waiting.append(_Staged(segments, staged, fd, create_only))
        return info

    def end(self) -> None:
        """Make the objects, in the order in which they were staged; all are on the disk on return.

        If some cannot be made, all others are; then the first error is raised, as by ``Staging.commit``.
        """
        filled = [one.fd for one in self._waiting if one.fd >= 0]
        for fd in filled:
            _begin_writing(fd)
        for fd in filled:
            os.fsync(fd)
        changed: set[tuple[str, ...]] = set()
        first: StoreError | None = None
        for one in self._waiting:
            try:
                changed |= self.publish(one.segments, one.path, create_only=one.create_only)
            except StoreError as error:
                first = first or error
        # The deepest first: a journalling file system writes all of them with it.
        for folders in sorted(changed, key=len, reverse=True):
            with open_folder(self.objects, folders) as folder:
                folder.sync()
        if first is not None:
            raise first

    def drop(self) -> None:
        """Remove what is left of the staged files; for the end in any case."""
        for one in self._waiting:
            if one.fd >= 0:
                os.close(one.fd)
            one.path.unlink(missing_ok=True)
        self._waiting.clear()


def _begin_writing(fd: int) -> None:
    """Have the system begin to write a file's contents, without waiting; where it cannot, nothing is lost."""
    begin = getattr(_LIBC, "sync_file_range", None)
    if begin is not None:
        begin(fd, ctypes.c_int64(0), ctypes.c_int64(0), _BEGIN_WRITING)
