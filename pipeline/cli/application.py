"""The commands of ``halorow`` and their help, as typer presents them."""

from collections.abc import Sequence
from typing import Annotated

import typer

from pipeline.cli import local as local_cli

_LOCAL = ("run", "plan", "ops", "digest")


def application(words: Sequence[str]) -> typer.Typer:
    """Return the application; with the service's commands only if one of those may be meant."""
    app = typer.Typer(
        name="halorow",
        help="Filters images too large or too many for one machine, exactly, and loses nothing.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before)
    local_cli.register(app)
    if not words or words[0] not in _LOCAL:
        from pipeline.cli import operator as operator_cli  # noqa: PLC0415  (a local command need not wait for it)
        from pipeline.cli import service as service_cli  # noqa: PLC0415  (a local command need not wait for it)

        service_cli.register(app)
        operator_cli.register(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  (slow, and needed here alone)

        typer.echo(f"halorow {version('halorow')}")
        raise typer.Exit


def _before(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that come before a command."""
