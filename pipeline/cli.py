"""The command ``halorow``: its commands, its errors, its exit codes."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

from pipeline import local_cli

EXIT_INTERRUPTED = 130
_EXIT_SIGNALLED = 128
_LOCAL = ("run", "plan", "ops", "digest")
_DEBUG = "HALOROW_DEBUG"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 usage or pipeline, 3 input, 4 limits, 130 Ctrl-C, 1 else."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and background jobs have it
            signal.signal(number, _end_once)
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    try:
        code = _app(words)(words, prog_name="halorow", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough of it; do not fail again when Python flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  (the last stop: no traceback reaches a user)
        return _report_error(error, as_json="--json" in words)
    if code == EXIT_INTERRUPTED:
        return _say("interrupted", "KeyboardInterrupt", EXIT_INTERRUPTED, as_json="--json" in words)
    return code if isinstance(code, int) else 0


def _app(words: Sequence[str]) -> typer.Typer:
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
        from pipeline import service_cli  # noqa: PLC0415  (a local command need not wait for it)

        service_cli.register(app)
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


def _report_error(error: Exception, *, as_json: bool) -> int:
    """Tell the user of an error and return its exit code.

    Ours have a ``public_message``, those of the command line's parser a ``format_message``.
    """
    if os.environ.get(_DEBUG):
        traceback.print_exception(error)
    code = int(getattr(error, "exit_code", 1))
    if hasattr(error, "public_message"):
        message = str(error.public_message)
    elif hasattr(error, "format_message"):
        message = (
            f"{error.format_message()}; see halorow --help"
            if str(error)
            else "halorow --help lists the commands"
        )
    else:
        message = f"unexpected {type(error).__name__}: {error}; set {_DEBUG}=1 to see where"
    return _say(message, type(error).__name__, code, as_json=as_json)


def _say(message: str, kind: str, code: int, *, as_json: bool) -> int:
    typer.secho("error: ", fg=typer.colors.RED, bold=True, err=True, nl=False)
    typer.echo(message, err=True)
    if as_json:
        told = {"kind": kind, "message": message, "exit_code": code}
        sys.stdout.write(json.dumps({"error": told}, ensure_ascii=False, indent=2) + "\n")
    return code


def _end_once(number: int, _frame: FrameType | None) -> NoReturn:
    """Begin to end at the first signal; later ones must not disturb the cleaning up."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(_EXIT_SIGNALLED + number)


if __name__ == "__main__":
    main()
