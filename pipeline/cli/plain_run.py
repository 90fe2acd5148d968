"""A ``halorow run`` whose words are plain to see, read without loading what reads command lines in general.

Anything else, wrong usage and calls for help included, is left to that.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mpi_stage.contract import Report

_LEAST_PLACES = 3  # input, output, one step
_WAYS = ("overwrite", "resume", "quiet", "as_json")
_MOST_QUALITY = 100
_MOST_DIGITS = 9
_LEAST_SIDE = 16
DEVICES = ("auto", "cpu", "gpu")


class Run(NamedTuple):
    """What to do, in terms of the command line: see ``halorow run --help``.

    Attributes
    ----------
    options: those of :class:`pipeline.local.options.RunOptions` that were stated.
    """

    source: str | Path
    output: str | Path
    steps: list[str]
    options: dict[str, Any]
    overwrite: bool = False
    resume: bool = False
    quiet: bool = False
    as_json: bool = False

    def carry_out(self) -> None:
        """Filter the image and tell of it on standard output. Raises the stage's errors."""
        from pipeline.cli.progress import RunProgress  # noqa: PLC0415  (as above)
        from pipeline.local.options import RunOptions  # noqa: PLC0415  (as above)
        from pipeline.local.run import run_image  # noqa: PLC0415  (reading words does not need it)

        options = RunOptions(**self.options)
        with RunProgress(Path(self.source).name, shown=not self.quiet) as progress:
            report = run_image(
                self.source,
                self.output,
                self.steps,
                options,
                overwrite=self.overwrite,
                resume=self.resume,
                on_event=progress,
            )
        if self.as_json:
            import json  # noqa: PLC0415  (as above)

            sys.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n")
        elif not self.quiet:
            sys.stdout.write(_told(self.output, report) + "\n")


def read_run(words: Sequence[str]) -> Run | None:
    """Return what the words after ``run`` ask for, or None where they are not plain to see."""
    places: list[str] = []
    stated: dict[str, Any] = {}
    left = iter(words)
    for word in left:
        if word in FLAGS:
            name, value = FLAGS[word]
        elif word in VALUES:
            name, read = VALUES[word]
            value = read(next(left, ""))
            if value is None:
                return None
        elif word.startswith("-"):
            return None
        else:
            places.append(word)
            continue
        stated[name] = value
    if len(places) < _LEAST_PLACES:
        return None
    ways = {name: stated.pop(name) for name in _WAYS if name in stated}
    return Run(place_of(places[0]), place_of(places[1]), places[2:], stated, **ways)


def place_of(word: str) -> str | Path:
    """Return a path, or the text of an object's URL, in which every character counts."""
    return word if word.startswith("gs://") else Path(word)


def _text(word: str) -> str | None:
    return None if not word or word.startswith("-") else word


def _device(word: str) -> str | None:
    return word if word in DEVICES else None


def _count(word: str) -> int | None:
    """Return a number of at least 1, however it is written; None for anything else."""
    plain = word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS
    return (int(word) or None) if plain else None


def _quality(word: str) -> int | None:
    count = _count(word)
    return count if count is not None and count <= _MOST_QUALITY else None


def _side(word: str) -> int | None:
    count = _count(word)
    return count if count is not None and count >= _LEAST_SIDE else None


def _size(word: str) -> int | None:
    from pipeline.cli.sizes import parse_size  # noqa: PLC0415  (rarely needed)

    try:
        return parse_size(word)
    except ValueError:
        return None


FLAGS: dict[str, tuple[str, bool]] = {
    "--digest": ("digest", True),
    "--no-digest": ("digest", False),
    "--overwrite": ("overwrite", True),
    "--resume": ("resume", True),
    "--quiet": ("quiet", True),
    "-q": ("quiet", True),
    "--json": ("as_json", True),
}
"""Words that stand alone: what they set, to what."""

VALUES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--ranks": ("ranks", _count),
    "--device": ("device", _device),
    "--border": ("border", _text),
    "--memory": ("memory_bytes", _size),
    "--block-rows": ("block_rows", _count),
    "--compression": ("compression", _text),
    "--quality": ("quality", _quality),
    "--tile": ("tile", _side),
    "--format": ("format", _text),
    "--page": ("page", _count),
    "--plane": ("plane", _text),
    "--level": ("level", _count),
}
"""Words that the next one belongs to: what they set, and how it is read; None is left to others."""


def _told(output: str | Path, report: "Report") -> str:
    ranks = f"{len(report.ranks)} rank" + ("s" if len(report.ranks) > 1 else "")
    image = f"{report.columns} × {report.rows} px, {report.channels} × {report.dtype}"
    reused = sum(rank.bands_reused for rank in report.ranks)
    bands = f", {reused} of {-(-report.rows // report.band_rows)} bands from an earlier run" if reused else ""
    return f"{output}: {image}, in {report.seconds:.2f} s on {ranks}{bands}"
