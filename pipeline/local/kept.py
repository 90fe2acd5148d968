"""What a local run leaves beside its output if it is interrupted, for the next one to go on from."""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_stage.errors import OutputError

if TYPE_CHECKING:
    from mpi_stage.contract import Bands

_RUN = "run-"
_LOCK = "lock"
_SHOWN_CHARACTERS = 40  # of the output's name, in that of the folder
_DIGEST_DIGITS = 8


@contextmanager
def kept_folder(final: Path) -> Iterator[Path]:
    """Give a folder beside the output that outlives a run that fails in it, but not one that ends well.

    It goes, too, where a run has left no bands in it. Raises OutputError where another run is at work in it.
    """
    folder = folder_for(final)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutputError(f"cannot write in {final.parent}: {error.strerror}") from error
    try:
        _lock(lock, final)
        try:
            yield folder
        except BaseException:
            if any(folder.glob(f"{_RUN}*/journal-*")):
                raise
            shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def folder_for(final: Path) -> Path:
    """Return the folder for the bands of an output."""
    digest = hashlib.sha256(os.fsencode(final.name)).hexdigest()[:_DIGEST_DIGITS]
    return final.parent / f".{final.name[:_SHOWN_CHARACTERS]}.{digest}.bands"


def next_bands(folder: Path, source: Path) -> "Bands":
    """Return where the next run in a folder keeps its bands, and where those before it have left theirs."""
    from mpi_stage.contract import Bands  # noqa: PLC0415  (while the ranks start)

    earlier = sorted(folder.glob(f"{_RUN}*"), reverse=True)
    number = int(earlier[0].name.removeprefix(_RUN)) + 1 if earlier else 1
    own = folder / f"{_RUN}{number:06d}"
    return Bands(str(own), input_generation(source), [str(path) for path in earlier])


def input_generation(source: Path) -> str:
    """Return what changes with an input's content: sizes, times and numbers of its file or files."""
    if not source.is_dir():
        return _generation(source)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    lines = "\n".join(f"{path.relative_to(source)} {_generation(path)}" for path in files)
    return hashlib.sha256(os.fsencode(lines)).hexdigest()


def _generation(path: Path) -> str:
    known = path.stat()
    return f"{known.st_mtime_ns:x}-{known.st_size:x}-{known.st_dev:x}-{known.st_ino:x}"


def _lock(lock: int, final: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            raise OutputError(
                f"another run with --resume is at work on {final}; wait for it, or end it"
            ) from error
        raise OutputError(f"cannot lock the folder of the bands of {final}: {error.strerror}") from error
