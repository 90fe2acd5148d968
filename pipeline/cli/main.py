"""The command ``halorow``: its start, its errors, its exit codes.

What reads the command line in general takes longer to load than many an image to be filtered, so a
plain ``halorow run`` starts without it.
"""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED = 130
_EXIT_SIGNALLED = 128
_YOUNG_OBJECTS = 100_000
"""So many more objects are made before any garbage is looked for: what is loaded in order to start is none,
and looking through it again and again took a tenth of the start."""
_DEBUG = "HALOROW_DEBUG"
_BOLD_RED, _RESET = "\x1b[31m\x1b[1m", "\x1b[0m"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 usage or pipeline, 3 input, 4 limits, 130 Ctrl-C, 1 else."""
    gc.set_threshold(_YOUNG_OBJECTS)
    words = list(sys.argv[1:] if arguments is None else arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and background jobs have it
            signal.signal(number, _end_once)
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    try:
        code = _obey(words)
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


def _obey(words: list[str]) -> object:
    """Do what the command line says; return the exit code, or something else where that is 0."""
    if words[:1] == ["run"]:
        from pipeline.cli.plain_run import read_run  # noqa: PLC0415  (see the module's docstring)

        wanted = read_run(words[1:])
        if wanted is not None:
            wanted.carry_out()
            return 0
    from pipeline.cli.application import application  # noqa: PLC0415  (see the module's docstring)

    return application(words)(words, prog_name="halorow", standalone_mode=False)


def _report_error(error: Exception, *, as_json: bool) -> int:
    """Tell the user of an error and return its exit code.

    Ours have a ``public_message``, those of the command line's parser a ``format_message``.
    """
    if os.environ.get(_DEBUG):
        import traceback  # noqa: PLC0415  (see the module's docstring)

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
    label = "error: "
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        label = f"{_BOLD_RED}{label}{_RESET}"
    with suppress(OSError):  # nobody may be left to read it
        sys.stderr.write(f"{label}{message}\n")
    if as_json:
        import json  # noqa: PLC0415  (see the module's docstring)

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
