"""One image through a pipeline on this machine, without any service."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mpi_stage.errors import DiskFullError, MissingInputError, OutputError, OutputExistsError
from pipeline.folder_images import (
    SUFFIX,
    check_folder_place,
    is_folder_image,
    is_folder_output,
    named_as_folder,
    publish_folder,
)
from pipeline.launch import cores
from pipeline.world import Listener, World

if TYPE_CHECKING:
    from mpi_stage.contract import Report, Request

Words = Sequence[str] | Sequence[dict[str, Any]]

_JOB = "local"
READ_ONLY = (".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf")
_NAME_CHARACTERS = 40  # of the output's name, in that of the temporary folder
_NAME_BYTES = 4  # of chance, in that of the temporary folder


class RunOptions(NamedTuple):
    """How a pipeline is to be run; None leaves the choice to the plan or the input.

    Attributes
    ----------
    ranks: MPI ranks; the cores this process may use if None.
    device: ``auto``, ``cpu`` or ``gpu``.
    border: for the steps that take one and state none; each operation's own if None.
    memory_bytes: the most anonymous memory that one rank may use; the stage's default if None.
    block_rows: rows processed at once.
    format: of the output, ``cog`` for instance, whatever its suffix says.
    compression, quality, tile: for the output; ``tile`` is the edge of a square tile in pixels.
    page, plane, level: which image of the input: the number of its page, or an OME plane such as
        ``z=3,c=1``, and the level of its pyramid.
    digest: whether the report is to hold the digest of the output's pixels.
    """

    ranks: int | None = None
    device: str = "auto"
    border: str | None = None
    memory_bytes: int | None = None
    block_rows: int | None = None
    compression: str | None = None
    quality: int | None = None
    tile: int | None = None
    format: str | None = None
    page: int = 0
    plane: str | None = None
    level: int = 0
    digest: bool = True

    def request(self, steps: Words, **places: Any) -> "Request":  # noqa: ANN401  (typed in Request)
        """Return the request to the stage.

        Words are left to the stage, so that the catalogue is not loaded here too. Raises PipelineError
        where a pipeline in JSON is wrong.
        """
        from mpi_stage.contract import DEFAULT_MEMORY_BYTES, Request  # noqa: PLC0415  (while the ranks start)

        return Request(
            job=_JOB,
            steps=_told(steps, self.border),
            border=self.border,
            device=self.device,
            memory_bytes=DEFAULT_MEMORY_BYTES if self.memory_bytes is None else self.memory_bytes,
            block_rows=self.block_rows,
            compression=self.compression,
            quality=self.quality,
            tile=self.tile,
            format=self.format,
            page=self.page,
            plane=self.plane,
            level=self.level,
            threads=max(1, cores() // (self.ranks or cores())),
            digest=self.digest,
            **places,
        )


def run_image(
    source: str | Path,
    output: str | Path,
    steps: Words,
    options: RunOptions | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    on_event: Listener | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> "Report":
    """Filter ``source`` into ``output``; the output appears under its name when it is complete.

    Both are files, or texts of the form ``gs://bucket/name``.
    ``steps`` are words of the text spelling or the list of the JSON spelling. ``on_event`` gets the
    stage's events. Raises the stage's errors, OutputExistsError unless ``overwrite``, and
    RunCancelledError. Whatever is raised, no file and no process is left; with ``resume`` the bands of a
    large output are, from which the next such run with the same input, steps and options goes on.
    """
    options = options or RunOptions()
    if isinstance(source, str) or isinstance(output, str):
        if resume:
            raise OutputError("--resume keeps bands beside an output on this machine; it knows no buckets")
        from pipeline.bucket_run import run_in_bucket  # noqa: PLC0415  (slow, and rarely needed here)

        return run_in_bucket(
            source, output, steps, options, overwrite=overwrite, on_event=on_event, cancelled=cancelled
        )
    given = check_input(source)
    final = final_place(output, options.format, overwrite=overwrite)
    with World(options.ranks or cores()) as world, _folder_for(final, resume=resume) as folder:
        unfinished, bands = folder / "output", None
        if resume:
            from pipeline.kept_run import next_bands  # noqa: PLC0415  (rarely needed)

            bands = next_bands(folder, source)
        request = options.request(
            steps,
            input=given,
            output=str(unfinished),
            output_name=output.name,
            scratch=str(folder),
            bands=bands,
        )
        report = world.run(request, on_event=on_event, cancelled=cancelled)
        if bands is not None and report.band_rows:
            unfinished = Path(bands.folder) / "output"
        publish_file(unfinished, final, overwrite=overwrite)
        return report


def plan_image(source: str | Path, steps: Words, options: RunOptions | None = None) -> dict[str, Any]:
    """Return the plan for ``source`` as JSON; only the header of the image is read.

    The plan is for an output of the input's format, or a TIFF where that is not written. Raises the
    stage's errors.
    """
    options = options or RunOptions()
    if isinstance(source, str):
        from pipeline.bucket_run import plan_in_bucket  # noqa: PLC0415  (slow, and rarely needed here)

        return plan_in_bucket(source, steps, options)
    given = check_input(source)
    with World(1) as world:
        name = source.name
        if source.is_dir() and not named_as_folder(name):
            name += SUFFIX
        elif source.suffix.lower() in READ_ONLY:
            name += ".tif"
        request = options.request(steps, input=given, output="", output_name=name)
        return world.plan(request, ranks=options.ranks or cores())


def digest_image(source: str | Path, options: RunOptions | None = None) -> str:
    """Return the digest of an image's pixels, as reports state it. Raises the stage's errors."""
    options = options or RunOptions()
    if isinstance(source, str):
        from pipeline.bucket_run import digest_in_bucket  # noqa: PLC0415  (slow, and rarely needed here)

        return digest_in_bucket(source, options)
    given = check_input(source)
    with World(1) as world:
        return world.digest(options.request([], input=given, output="", output_name=""))


def _told(steps: Words, border: str | None) -> list[str] | list[dict[str, Any]]:
    words = [step for step in steps if isinstance(step, str)]
    if len(words) == len(steps):
        return words
    from mpi_stage.operations.grammar import parse, to_json  # noqa: PLC0415  (slow, and rarely needed here)

    return to_json(parse(steps, default_border=border))


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


def _folder_for(final: Path, *, resume: bool) -> AbstractContextManager[Path]:
    """Return what makes the folder for all that is unfinished, and removes it unless it is to be kept."""
    if not resume:
        return folder_beside(final)
    from pipeline.kept_run import kept_folder  # noqa: PLC0415  (rarely needed)

    return kept_folder(final)


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
