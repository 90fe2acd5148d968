"""Images that are folders of many files, as Zarr has them: telling them, and giving one its name."""

import ctypes
import errno
import os
from pathlib import Path

from mpi_stage.errors import OutputExistsError

SUFFIX = ".zarr"
_FORMATS = ("zarr", "ome-zarr")
_ROOTS = ("zarr.json", ".zgroup", ".zarray")
_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE
_NOT_SO_HERE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
_IN_THE_WAY = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def named_as_folder(name: str) -> bool:
    """Whether an image of this name is a folder."""
    return name.lower().endswith(SUFFIX)


def is_folder_output(name: str, format: str | None) -> bool:  # noqa: A002  (the word of the command line)
    """Whether an output of this name is a folder, if ``format`` says nothing else."""
    return named_as_folder(name) if format is None else format in _FORMATS


def is_folder_image(path: Path) -> bool:
    """Whether there is a folder at ``path`` that says it is a Zarr, of whatever version."""
    return path.is_dir() and any((path / name).exists() for name in _ROOTS)


def check_folder_place(final: Path, *, overwrite: bool) -> None:
    """Raise OutputExistsError unless a folder may appear at ``final``, or replace what is there."""
    if not overwrite and final.exists():
        raise OutputExistsError(f"{final} is there already; pass --overwrite to replace it")
    if final.is_dir() and not is_folder_image(final) and any(final.iterdir()):
        raise OutputExistsError(
            f"{final} is a folder with other things than a Zarr in it; name another place"
        )


def publish_folder(unfinished: Path, final: Path, *, overwrite: bool) -> None:
    """Give the finished folder its name, at once; what was there is under the unfinished one's afterwards.

    Raises FileExistsError where something is there that must not be replaced, OSError.
    """
    if overwrite and final.exists():
        _exchange(unfinished, final)
        return
    try:
        unfinished.rename(final)
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        raise


def _exchange(one: Path, other: Path) -> None:
    """Let two names change places; where the file system cannot do that at once, one after the other."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return
    number = ctypes.get_errno()
    if rename is not None and number not in _NOT_SO_HERE:
        raise OSError(number, os.strerror(number), str(other))
    aside = one.with_name(f"{one.name}.replaced")
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
