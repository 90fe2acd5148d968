"""Where the input of a local run is, and where its output becomes visible at once and whole."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mpi_stage.errors import DiskFullError, MissingInputError, OutputError, OutputExistsError
from pipeline.images.folder_images import (
    check_folder_place,
    is_folder_image,
    is_folder_output,
    publish_folder,
)

_NAME_CHARACTERS = 40  # of the output's name, in that of the temporary folder
_NAME_BYTES = 4  # of chance, in that of the temporary folder


def check_input(source: Path) -> str:
    """Return the path of a readable file, or of a folder as an image. Raises MissingInputError."""
    if source.is_dir() and not is_folder_image(source):
        raise MissingInputError(f"{source} is a folder, not an image")
    if not source.exists():
        raise MissingInputError(f"there is no file {source}")
    if not os.access(source, os.R_OK):
        raise MissingInputError(f"{source} may not be read by this user")
    return str(source.absolute())


def final_place(output: Path, format: str | None, *, overwrite: bool) -> Path:  # noqa: A002  (see RunOptions)
    """Return where the output is to appear, symbolic links followed, if it may appear there."""
    final = Path(os.path.realpath(output))
    if is_folder_output(output.name, format):
        check_folder_place(final, overwrite=overwrite)
    elif final.is_dir():
        raise OutputExistsError(f"{output} is a folder; name a file in it")
    elif final.exists() and not overwrite:
        raise OutputExistsError(f"{output} is there already; pass --overwrite to replace it")
    if not final.parent.is_dir():
        raise OutputError(f"there is no folder {final.parent} to write {output.name} in; make it first")
    return final


@contextmanager
def folder_beside(final: Path) -> Iterator[Path]:
    """Make a folder beside the output for all that is unfinished; remove it at the end."""
    folder = final.parent / f".{final.name[:_NAME_CHARACTERS]}.{os.urandom(_NAME_BYTES).hex()}.part"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise _output_error(f"cannot write in {final.parent}", error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish_file(unfinished: Path, final: Path, *, overwrite: bool) -> None:
    """Give the finished file its name, at once and only if nobody else has taken it meanwhile."""
    try:
        if unfinished.is_dir():
            publish_folder(unfinished, final, overwrite=overwrite)
        elif overwrite:
            unfinished.replace(final)
        else:
            _claim_name(unfinished, final)
    except FileExistsError as error:
        raise OutputExistsError(
            f"{final} has appeared meanwhile and was left alone; pass --overwrite to replace it"
        ) from error
    except OSError as error:
        raise _output_error(f"cannot write {final}", error) from error


def _claim_name(unfinished: Path, final: Path) -> None:
    try:
        final.hardlink_to(unfinished)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        # A filesystem without hard links: claim the name with an empty file, then replace that.
        final.open("x").close()
        unfinished.replace(final)


def _output_error(what: str, error: OSError) -> OutputError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(f"{what}: the disk is full; free some space or choose another place")
    return OutputError(f"{what}: {error.strerror}")
