"""One image through a pipeline on this machine, without any service."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_stage.errors import OutputError
from pipeline.images.folder_images import SUFFIX, named_as_folder
from pipeline.local.options import RunOptions, Words
from pipeline.local.places import check_input, final_place, folder_beside, publish_file
from pipeline.worlds.launch import cores
from pipeline.worlds.world import Listener, World

if TYPE_CHECKING:
    from mpi_stage.contract import Report

READ_ONLY = (".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf")


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
        from pipeline.local.bucket_run import run_in_bucket  # noqa: PLC0415  (slow, and rarely needed here)

        return run_in_bucket(
            source, output, steps, options, overwrite=overwrite, on_event=on_event, cancelled=cancelled
        )
    given = check_input(source)
    final = final_place(output, options.format, overwrite=overwrite)
    with World(options.ranks or cores()) as world, _folder_for(final, resume=resume) as folder:
        unfinished, bands = folder / "output", None
        if resume:
            from pipeline.local.kept import next_bands  # noqa: PLC0415  (rarely needed)

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
        from pipeline.local.bucket_run import plan_in_bucket  # noqa: PLC0415  (slow, and rarely needed here)

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
        from pipeline.local.bucket_run import digest_in_bucket  # noqa: PLC0415  (slow, and rarely needed here)

        return digest_in_bucket(source, options)
    given = check_input(source)
    with World(1) as world:
        return world.digest(options.request([], input=given, output="", output_name=""))


def _folder_for(final: Path, *, resume: bool) -> AbstractContextManager[Path]:
    """Return what makes the folder for all that is unfinished, and removes it unless it is to be kept."""
    if not resume:
        return folder_beside(final)
    from pipeline.local.kept import kept_folder  # noqa: PLC0415  (rarely needed)

    return kept_folder(final)
