"""Folders and files below a root that no symbolic link leads out of.

Every path is walked from the root, one directory handle after the other, and no step follows a
symbolic link. What was checked is therefore what is used, also when somebody swaps folders meanwhile.
"""

import errno
import os
import stat
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import KeyRefusedError, StoreError, StoreUnavailableError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: a pipe that somebody put among the objects must not hold the reader.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_PASSING = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)
"""Faults of a device or a machine that another try, perhaps elsewhere, may not meet."""

_COPY_BYTES = 64 << 20
_NO_KERNEL_COPY = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})


class Folder:
    """An open folder: its handle, and the handles of those above it that got a new entry on the way.

    Attributes
    ----------
    fd: the handle, for the ``dir_fd`` arguments of :mod:`os`.

    """

    def __init__(self, fd: int, changed: list[int]) -> None:
        """Take over the handles; ``open_folder`` closes them."""
        self.fd = fd
        self._changed = changed

    @property
    def made(self) -> int:
        """How many folders were made on the way, this one included."""
        return len(self._changed)

    def sync(self) -> None:
        """Put the entries of the folder on the disk, and its own entry above it if it is new."""
        # The deepest first: a journalling file system writes all of them with it.
        for fd in (self.fd, *reversed(self._changed)):
            os.fsync(fd)


class Root:
    """A folder that is always there, and so stays open: its path, and a handle for as long as this lives."""

    def __init__(self, path: Path) -> None:
        """Open ``path``. Raises OSError."""
        self.path = path
        self.fd = os.open(path, _FOLDER)
        weakref.finalize(self, os.close, self.fd)


@contextmanager
def open_folder(root: Root, segments: Sequence[str], *, create: bool = False) -> Iterator[Folder]:
    """Open the folder below ``root``, and make it if ``create``.

    Raises
    ------
    FileNotFoundError
        If there is no such folder and it is not to be made.
    KeyRefusedError
        If a symbolic link is on the way, or a file where a folder is to be made.
    OSError
        As the system says; see ``store_error``.

    """
    fd = os.dup(root.fd)
    changed: list[int] = []
    try:
        for segment in segments:
            below, made = _step(fd, segment, create=create)
            if made:
                changed.append(fd)
            else:
                os.close(fd)
            fd = below
        yield Folder(fd, changed)
    finally:
        for handle in (fd, *changed):
            os.close(handle)


@contextmanager
def open_object(root: Root, segments: Sequence[str]) -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file below ``root`` for reading; yield its descriptor and what is known of it.

    Raises
    ------
    FileNotFoundError
        If there is no such regular file.
    KeyRefusedError
        If it is a symbolic link or behind one.

    """
    with open_folder(root, segments[:-1]) as folder:
        try:
            fd = os.open(segments[-1], _READ, dir_fd=folder.fd)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _link_refused(segments[-1]) from error
            raise
    try:
        known = os.fstat(fd)
        if not stat.S_ISREG(known.st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a regular file", segments[-1])
        yield fd, known
    finally:
        os.close(fd)


def prune(root: Root, segments: Sequence[str]) -> None:
    """Remove the folder and those above it, up to ``root``, as far as they are empty."""
    for depth in range(len(segments), 0, -1):
        try:
            with open_folder(root, segments[: depth - 1]) as above:
                os.rmdir(segments[depth - 1], dir_fd=above.fd)
        except (OSError, KeyRefusedError):
            return  # not empty, or somebody else was faster: both are well


def write_all(fd: int, data: bytes) -> None:
    """Write all of ``data``, however often the system takes only a part."""
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def read_all(fd: int, size_bytes: int) -> bytes:
    """Read a file of a known size from its beginning; a shorter one gives fewer bytes."""
    with os.fdopen(os.dup(fd), "rb", buffering=0) as file:
        data = file.read(size_bytes) or b""
        while len(data) < size_bytes:
            more = file.read(size_bytes - len(data))
            if not more:
                break
            data += more
    return data


def copy_all(source_fd: int, target_fd: int, size_bytes: int) -> int:
    """Copy up to ``size_bytes`` from one file to another inside the kernel; return how many there were.

    File systems that can share blocks between files do so.
    """
    done = 0
    by_kernel = True
    while done < size_bytes:
        ask = min(_COPY_BYTES, size_bytes - done)
        try:
            if by_kernel:
                got = os.copy_file_range(source_fd, target_fd, ask, done, done)
            else:
                os.lseek(target_fd, done, os.SEEK_SET)
                got = os.sendfile(target_fd, source_fd, done, ask)
        except OSError as error:
            if not by_kernel or error.errno not in _NO_KERNEL_COPY:
                raise
            by_kernel = False
            continue
        if got == 0:
            break
        done += got
    return done


def store_error(error: OSError, doing: str, root: Path) -> StoreError:
    """Return the store's error for a system's error; ``doing`` says what was tried (``writing a/b``)."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreUnavailableError(
            f"no room left {doing}: {_room(root)} in {root}; free some and try again"
        )
    if error.errno in _PASSING:
        return StoreUnavailableError(
            f"the device of {root} failed {doing}: {error.strerror}; try again later"
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return StoreError(f"not allowed, {doing} in {root}: {error.strerror}; give this user the right to it")
    return StoreError(f"failed {doing} in {root}: {error}")


def unreadable_source(path: Path, error: OSError) -> StoreError:
    """Return the store's error for a local file that was to become an object and cannot be read."""
    return StoreError(f"cannot read the file {path} to store it: {error.strerror}; check its name and rights")


def _step(fd: int, segment: str, *, create: bool) -> tuple[int, bool]:
    """Open the folder ``segment`` of the folder ``fd``; say whether it had to be made."""
    flags = _FOLDER | os.O_NOFOLLOW
    try:
        return os.open(segment, flags, dir_fd=fd), False
    except FileNotFoundError:
        if not create:
            raise
    except OSError as error:
        raise _step_refused(fd, segment, error, create=create) from error
    with suppress(FileExistsError):  # another writer made it; the open below says whether it is a folder
        os.mkdir(segment, dir_fd=fd)
    try:
        return os.open(segment, flags, dir_fd=fd), True
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _step_refused(fd, segment, error, create=create) from error


def _step_refused(fd: int, segment: str, error: OSError, *, create: bool) -> Exception:
    """Return what to raise where ``segment`` cannot be opened as a folder."""
    if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
        return error
    try:
        known = os.stat(segment, dir_fd=fd, follow_symlinks=False)
    except OSError as gone:
        return gone
    if stat.S_ISLNK(known.st_mode):
        return _link_refused(segment)
    if create:
        return KeyRefusedError(
            f"{segment!r} is an object, so a store on disk can hold no objects below it; choose another key"
        )
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), segment)


def _link_refused(segment: str) -> KeyRefusedError:
    return KeyRefusedError(f"{segment!r} is a symbolic link, which may lead out of the store; remove it")


def _room(root: Path) -> str:
    try:
        known = os.statvfs(root)
    except OSError:
        return "room unknown"
    return f"{known.f_bavail * known.f_frsize:,} bytes free"
