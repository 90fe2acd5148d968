"""Reading and writing at offsets, with the operating system's errors turned into the stage's."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mpi_stage.errors import DiskFullError, OutputError, OutputExistsError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_BETWEEN_THESE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF)
_CALL_BYTES = 1 << 30
_COPY_BYTES = 1 << 20
_FOLDER_TRIES = 100
_VECTORS = 1000  # IOV_MAX is 1024 on Linux


@contextmanager
def output_errors(path: str, remedy: str = "choose another place") -> Iterator[None]:
    """Turn an OSError inside the block into DiskFullError or OutputError that names ``path``.

    ``remedy`` is what else would help where the device is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                f"{path} cannot be written: the device has {_free_bytes(path)} bytes left "
                f"and more are needed. Free some space or {remedy}."
            ) from error
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def remove_output(path: str) -> None:
    """Remove a file or a folder of files, as far as there is one."""
    if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 (plain strings)
        shutil.rmtree(path, ignore_errors=True)
    else:
        Path(path).unlink(missing_ok=True)


def stored_bytes(path: str) -> int:
    """Return the size of a file, or of all files in a folder. Raises OSError."""
    if not os.path.isdir(path):  # noqa: PTH112 (the path is a plain string throughout)
        return Path(path).stat().st_size
    return sum((Path(folder) / name).stat().st_size for folder, _, names in os.walk(path) for name in names)


def make_folder(path: str) -> None:
    """Make a folder, and those above it, unless they are there. Raises OSError.

    Others may remove a folder above that is empty still, as a store does; then it is made again.
    """
    for _ in range(_FOLDER_TRIES):
        with suppress(FileNotFoundError):
            os.makedirs(path, exist_ok=True)  # noqa: PTH103  (paths are plain strings throughout)
            return
    os.makedirs(path, exist_ok=True)  # noqa: PTH103  (as above)


def create_file(path: str) -> None:
    """Make an empty file; raises OutputExistsError, DiskFullError, OutputError."""
    with output_errors(path):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        except FileExistsError as error:
            raise OutputExistsError(f"{path} is there already; choose another name.") from error


def _free_bytes(path: str) -> int:
    """Bytes free on the device that holds ``path``; 0 where that cannot be told."""
    with suppress(OSError):
        return shutil.disk_usage(Path(path).parent).free
    return 0


def read_all(fd: int, data: memoryview, offset: int) -> int:
    """Fill ``data`` (flat bytes) from ``offset`` on; return how many bytes there were. Raises OSError."""
    done = got = os.preadv(fd, [data], offset)
    while got and done < len(data):
        got = os.preadv(fd, [data[done:]], offset + done)
        done += got
    return done


def write_all(fd: int, data: memoryview | bytes | bytearray, offset: int) -> None:
    """Write all of ``data`` (flat bytes) at ``offset``; raises OSError."""
    view = memoryview(data)
    done = os.pwrite(fd, view, offset)
    while done < len(view):
        done += os.pwrite(fd, view[done:], offset + done)


def write_vectors(fd: int, parts: Sequence[bytes | bytearray], offset: int) -> None:
    """Write ``parts`` one behind the other from ``offset`` on, many in one call; raises OSError."""
    for first in range(0, len(parts), _VECTORS):
        batch = parts[first : first + _VECTORS]
        size = sum(map(len, batch))
        done = os.pwritev(fd, batch, offset)
        if done < size:
            write_all(fd, memoryview(b"".join(batch))[done:], offset + done)
        offset += size


def copy_bytes(source: int, target: int, target_offset: int, count: int, *, source_offset: int = 0) -> None:
    """Copy ``count`` bytes of file ``source`` to ``target_offset`` of ``target``; raises OSError.

    The kernel copies where it can between these two file systems; otherwise pieces of a MiB pass
    through memory.
    """
    done = 0
    try:
        while done < count:
            moved = os.copy_file_range(
                source, target, min(count - done, _CALL_BYTES), source_offset + done, target_offset + done
            )
            if moved == 0:
                break
            done += moved
    except OSError as error:
        if error.errno not in _NOT_BETWEEN_THESE:
            raise
    while done < count:
        piece = os.pread(source, min(count - done, _COPY_BYTES), source_offset + done)
        if not piece:
            raise OSError(errno.EIO, f"a scratch file ends at {done} of {count} bytes")
        write_all(target, piece, target_offset + done)
        done += len(piece)
