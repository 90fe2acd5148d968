"""How a file becomes an object of a local store: written aside, put on the disk, moved into place."""

import errno
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import KeyRefusedError, ObjectExistsError, StoreUnavailableError
from pipeline.models import ObjectInfo
from pipeline.stores.folders import Root, open_folder
from pipeline.stores.keys import check_key

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
"""Flags that make a file and fail if anything of that name is there."""

PINNED = ".pinned"
"""What the further names of objects end with."""

_OWN_PREFIX = ".put-"
_NO_LINK = frozenset({errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK, errno.ENOENT, errno.ENOTSUP})
_PUBLISH_TRIES = 100
"""How often deletions may remove the empty folder under a writer's hands; each time takes a new one."""


class Staging:
    """The folder of files that are not objects yet, on the same file system as the objects.

    Parameters
    ----------
    folder: holds the staged files.
    objects: the root of the objects.
    durable: whether ``commit`` waits until the object is on the disk.

    """

    def __init__(self, folder: Path, objects: Root, *, durable: bool) -> None:
        self._folder = folder
        self.objects = objects
        self._durable = durable

    def path(self, name: str) -> Path:
        """Return where another process may write the file ``name``. Raises KeyRefusedError."""
        if len(check_key(name)) > 1 or name.startswith(_OWN_PREFIX):
            raise KeyRefusedError(
                f"{name!r} cannot be staged; use one segment that does not start with {_OWN_PREFIX}"
            )
        return self._folder / name

    @contextmanager
    def new_file(self) -> Iterator[tuple[int, Path]]:
        """Yield descriptor and path of a new file; that path is gone in the end."""
        fd, staged = self.created()
        try:
            yield fd, staged
        finally:
            os.close(fd)
            staged.unlink(missing_ok=True)

    def created(self) -> tuple[int, Path]:
        """Return descriptor and path of a new file."""
        staged = self._folder / f"{_OWN_PREFIX}{uuid.uuid4().hex}"
        return os.open(staged, NEW_FILE, 0o666), staged

    def link(self, fd: int, name: str) -> Path | None:
        """Return a further name for an open file, in place of what had it; None where that is not allowed."""
        path = self.path(name)
        path.unlink(missing_ok=True)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # By its descriptor: the name by which it was found may lead elsewhere by now.
            os.link(f"/proc/self/fd/{fd}", name, dst_dir_fd=folder, follow_symlinks=True)
        except OSError as error:
            if error.errno in _NO_LINK:
                return None
            raise
        finally:
            os.close(folder)
        return path

    def holds(self, path: Path, fd: int) -> bool:
        """Whether the open file is staged, or in a folder that is, so that it can be moved."""
        inside = path.parent == self._folder or self._folder in path.resolve().parents
        if not inside or path.is_symlink():
            return False
        known = os.fstat(fd)
        return stat.S_ISREG(known.st_mode) and known.st_dev == os.fstat(self.objects.fd).st_dev

    def sweep(self, older_than_s: float, keep: Callable[[str], bool]) -> int:
        """Remove the files that nobody has written to for so long; return how many those were."""
        oldest = time.time() - older_than_s
        removed = 0
        for path in self._folder.iterdir():
            try:
                known = path.lstat()
                # The bytes of a pinned object are older than its name here.
                written = known.st_ctime if path.name.endswith(PINNED) else known.st_mtime
                if written < oldest and not keep(path.name):
                    shutil.rmtree(path) if stat.S_ISDIR(known.st_mode) else path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # its writer has just finished
        return removed

    def commit(
        self, segments: tuple[str, ...], staged: Path, fd: int, *, create_only: bool, durable: bool = True
    ) -> ObjectInfo:
        """Put a staged file, open as ``fd``, on the disk (unless ``durable`` is off) and under its key.

        Raises
        ------
        ObjectExistsError
            If ``create_only`` and there is an object of that key.
        KeyRefusedError
            If the key is the folder of other objects, or would lie below an object or a symbolic link.
        OSError
            As the system says.

        """
        info = self.stamped(segments, fd)
        synced = self._durable and durable
        # An empty file has nothing to put there but its name, which its folder has.
        if synced and info.size_bytes:
            os.fsync(fd)
        self.publish(segments, staged, create_only=create_only, synced=synced)
        return info

    @staticmethod
    def stamped(segments: tuple[str, ...], fd: int) -> ObjectInfo:
        """Give a staged file the time by which its generation is known; return what is known of it."""
        # The clock of the file system may stand still for some milliseconds, and inode numbers are
        # used again: only a time of our own makes each generation another one.
        now_ns = time.time_ns()
        os.utime(fd, ns=(now_ns, now_ns))
        return info_of("/".join(segments), os.fstat(fd))

    def publish(
        self, segments: tuple[str, ...], staged: Path, *, create_only: bool, synced: bool = False
    ) -> set[tuple[str, ...]]:
        """Move a staged file under its key, on the disk if ``synced``; return the folders that have changed.

        Raises as :meth:`commit`.
        """
        for _ in range(_PUBLISH_TRIES):
            try:
                return self._publish(segments, staged, create_only=create_only, synced=synced)
            except FileNotFoundError:
                continue  # a deletion took the empty folder away before the object was in it
        key = "/".join(segments)
        raise StoreUnavailableError(f"the folder of {key} vanished {_PUBLISH_TRIES} times; try again")

    def _publish(
        self, segments: tuple[str, ...], staged: Path, *, create_only: bool, synced: bool
    ) -> set[tuple[str, ...]]:
        *folders, name = segments
        with open_folder(self.objects, folders, create=True) as folder:
            try:
                if create_only:
                    os.link(staged, name, dst_dir_fd=folder.fd, follow_symlinks=False)
                else:
                    os.replace(staged, name, dst_dir_fd=folder.fd)
            except (FileExistsError, IsADirectoryError) as error:
                known = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
                raise _occupied("/".join(segments), known) from error
            if synced:
                folder.sync()
            changed = {
                tuple(folders[:depth]) for depth in range(len(folders) - folder.made, len(folders) + 1)
            }
        if create_only:
            staged.unlink(missing_ok=True)
        return changed


def generation_of(known: os.stat_result) -> str:
    """Return the generation of an object from the status of its file."""
    return f"{known.st_mtime_ns:x}-{known.st_size:x}-{known.st_ino:x}"


def info_of(key: str, known: os.stat_result) -> ObjectInfo:
    """Return what is known of an object from the status of its file."""
    return ObjectInfo.model_construct(  # its values need no check, and there is one for each file of a list
        key=key,
        size_bytes=known.st_size,
        generation=generation_of(known),
        updated_at=datetime.fromtimestamp(known.st_mtime, UTC),
    )


def _occupied(key: str, known: os.stat_result) -> ObjectExistsError | KeyRefusedError:
    if stat.S_ISDIR(known.st_mode):
        return KeyRefusedError(
            f"there are objects below {key!r}, so a store on disk can hold none of that name; "
            "choose another key"
        )
    return ObjectExistsError(f"the object {key} exists already")
