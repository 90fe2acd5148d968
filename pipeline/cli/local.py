"""The commands that need no service: run, plan, ops, digest.

Nothing heavy is imported before a command needs it: starting up counts.
"""

import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from pipeline.cli.options import Compression, Digest, Format, Level, Page, Plane, Quality, Tile
from pipeline.cli.plain_run import Run, place_of
from pipeline.cli.sizes import parse_size


class Device(StrEnum):
    """What computes."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


Input = Annotated[
    Any,
    typer.Argument(
        metavar="INPUT", help="The image: a file, or gs://bucket/name.", show_default=False, parser=place_of
    ),
]
Output = Annotated[
    Any,
    typer.Argument(
        metavar="OUTPUT",
        help="The image to write: a file, or gs://bucket/name.",
        show_default=False,
        parser=place_of,
    ),
]
Steps = Annotated[
    list[str],
    typer.Argument(metavar="STEP …", help="name:key=value,key=value; see halorow ops.", show_default=False),
]
Ranks = Annotated[int | None, typer.Option(min=1, help="MPI ranks; the cores by default.")]
Border = Annotated[
    str | None, typer.Option(help="For steps that state none: mirror, reflect, nearest, wrap, constant.")
]
Memory = Annotated[
    int | None,
    typer.Option(parser=parse_size, metavar="SIZE", help="The most that one rank may use, such as 512MiB."),
]
BlockRows = Annotated[int | None, typer.Option(min=1, help="Rows processed at once; the plan's by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (run, plan, ops, digest):
        app.command(rich_help_panel="One image, no service")(command)


def run(  # noqa: PLR0917  # typer takes options as arguments
    source: Input,
    output: Output,
    steps: Steps,
    ranks: Ranks = None,
    device: Annotated[Device, typer.Option(help="What computes.")] = Device.AUTO,
    border: Border = None,
    memory: Memory = None,
    block_rows: BlockRows = None,
    page: Page = 0,
    plane: Plane = None,
    level: Level = 0,
    format: Format = None,  # noqa: A002  (the word of the command line)
    compression: Compression = None,
    quality: Quality = None,
    tile: Tile = None,
    digest: Digest = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Keep bands of a large output, and go on from earlier ones."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
    as_json: Json = False,
) -> None:
    """Filter one image on this machine."""
    stated = _stated(
        ranks=ranks,
        device=device.value,
        border=border,
        memory_bytes=memory,
        block_rows=block_rows,
        compression=compression,
        quality=quality,
        tile=tile,
        format=format,
        page=page,
        plane=plane,
        level=level,
        digest=digest,
    )
    Run(source, output, steps, stated, overwrite, resume, quiet, as_json).carry_out()


def plan(  # noqa: PLR0917  # typer takes options as arguments
    source: Input,
    steps: Steps,
    ranks: Ranks = None,
    device: Annotated[Device, typer.Option(help="What computes.")] = Device.AUTO,
    border: Border = None,
    memory: Memory = None,
    block_rows: BlockRows = None,
    page: Page = 0,
    plane: Plane = None,
    level: Level = 0,
    as_json: Json = False,
) -> None:
    """Show what a pipeline would do to an image, and what it would take."""
    from pipeline.cli.plan_view import plan_text  # noqa: PLC0415
    from pipeline.local.options import RunOptions  # noqa: PLC0415  # see the module's docstring
    from pipeline.local.run import plan_image  # noqa: PLC0415  # see the module's docstring

    stated = _stated(
        ranks=ranks,
        device=device.value,
        border=border,
        memory_bytes=memory,
        block_rows=block_rows,
        page=page,
        plane=plane,
        level=level,
    )
    found = plan_image(source, steps, RunOptions(**stated))
    if as_json:
        _print_json(found)
    else:
        typer.echo(plan_text(found))


def digest(
    source: Input,
    page: Page = 0,
    plane: Plane = None,
    level: Level = 0,
) -> None:
    """Print the sha256 of an image's pixels, as the reports of run and of jobs state it."""
    from pipeline.local.options import RunOptions  # noqa: PLC0415  # see the module's docstring
    from pipeline.local.run import digest_image  # noqa: PLC0415  # see the module's docstring

    typer.echo(digest_image(source, RunOptions(page=page, plane=plane, level=level)))


def ops(
    name: Annotated[str | None, typer.Argument(help="One operation.", show_default=False)] = None,
    as_json: Json = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a pipeline.")] = False,
) -> None:
    """Show the operations, or all about one."""
    from mpi_stage.operations.catalogue import OPERATIONS  # noqa: PLC0415
    from mpi_stage.operations.index import find_public  # noqa: PLC0415
    from pipeline.cli.ops_view import catalogue_text, operation_json, operation_text  # noqa: PLC0415

    if schema:
        from mpi_stage.operations.spelling.schema import pipeline_schema  # noqa: PLC0415

        _print_json(pipeline_schema())
    elif name is not None:
        found = find_public(name)
        _print_json(operation_json(found)) if as_json else typer.echo(operation_text(found))
    elif as_json:
        _print_json({"operations": [operation_json(operation) for operation in OPERATIONS]})
    else:
        typer.echo(catalogue_text(OPERATIONS))


def _stated(**given: int | str | None) -> dict[str, Any]:
    """Return the options that were stated."""
    return {name: value for name, value in given.items() if value is not None}


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
