"""What a ``halorow run`` costs beside its work, against loading the libraries that any such program needs."""

import sys
from functools import partial
from pathlib import Path

from benchmarks.book import Book, Row
from benchmarks.commands import halorow_run, timed
from benchmarks.harness import alternate, ratio
from benchmarks.pictures import large_tiff
from benchmarks.table import Table

SIZE_PX = 256
_BARE = [sys.executable, "-c", "import numpy, cv2"]
_RANKS = (1, 2)


def start_up(folder: Path, runs: int, book: Book) -> None:
    """Start-up: the whole process less the seconds inside the stage, for a picture that takes no time."""
    source = large_tiff(folder, SIZE_PX)
    notes = [
        f"`halorow run` of `invert` on {SIZE_PX} × {SIZE_PX} RGB pixels; median of the runs, in turn.",
        "Start-up is the whole process, its end included, less the stage's own seconds.",
        'The bare side is `python -c "import numpy, cv2"` with the same Python.',
    ]
    columns = ["ranks", "start-up, s", "bare, s", "ratio"]
    book.begin(Table("start-up", "what a run costs beside its work", columns, notes=notes))
    for ranks in _RANKS:
        book.measure(str(ranks), partial(_measure, source, ranks, runs))
    book.end()


def _measure(source: Path, ranks: int, runs: int) -> Row:
    sides = {"ours": partial(_beside, source, ranks), "bare": partial(_bare)}
    series = alternate(sides, runs)
    ours, bare = series["ours"]["seconds"], series["bare"]["seconds"]
    return [str(ours), str(bare), str(ratio(ours, bare))], {"ours": ours.values, "bare": bare.values}


def _beside(source: Path, ranks: int) -> dict[str, float]:
    spent = halorow_run(source, source.parent / "out.tif", ["invert"], ranks)
    return {"seconds": spent["whole"] - spent["inside"]}


def _bare() -> dict[str, float]:
    return {"seconds": timed(_BARE)[0]}
