"""P2: compressed tiles to compressed tiles against libvips, with the same codec at the same level."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.book import Book, Row
from benchmarks.commands import halorow_run, peer_run
from benchmarks.comparisons import WITH_LIBVIPS, Comparison
from benchmarks.files import COLUMNS, Limits
from benchmarks.harness import alternate, ratio
from benchmarks.machine import cores
from benchmarks.pictures import compressed_tiff
from benchmarks.table import Table

OPERATIONS = ("gaussian", "invert")
PEER = "libvips"


@dataclass(frozen=True)
class Codec:
    """A compression as libvips writes it by default, and the options of ``halorow run`` for the same."""

    name: str
    options: tuple[str, ...]


CODECS = (
    Codec("deflate", ("--compression", "deflate:6")),
    Codec("jpeg", ("--compression", "jpeg", "--quality", "75")),
)

NOTES = (
    "Clocks and ratios as in the table of P1: median (shortest–longest), sides in turn, above 1× halorow.",
    (
        "Both sides at libvips's defaults: deflate level 6 with horizontal differences as predictor, JPEG "
        "quality 75 with colours at half resolution. halorow encodes deflate with libdeflate, libvips with "
        "zlib; JPEG is libjpeg-turbo on both sides. libvips as pyvips brings it knows no zstd in TIFF."
    ),
    "The inputs were written by libvips with the same settings; libvips reads them sequentially.",
)


@dataclass(frozen=True)
class _Contest:
    """One codec's picture."""

    codec: Codec
    source: Path
    limits: Limits

    def measure(self, one: Comparison) -> Row:
        """Measure one operation on both sides."""
        target = self.source.parent / "out.tif"
        words = [*one.steps.split(), *self.codec.options]
        sides = {
            "halorow": partial(halorow_run, self.source, target, words, cores()),
            PEER: partial(peer_run, "vips_side", one.name, self.source, target, self.codec.name),
        }
        series = alternate(sides, self.limits.runs, warm_ups=0, budget_s=self.limits.budget_s)
        ours, theirs = series["halorow"], series[PEER]
        inside, whole = (ratio(theirs[clock], ours[clock]) for clock in ("inside", "whole"))
        cells = (ours["inside"], theirs["inside"], inside, ours["whole"], theirs["whole"], whole)
        data = {
            side: {clock: taken.values for clock, taken in clocks.items()} for side, clocks in series.items()
        }
        return [str(len(ours["whole"].values)), *map(str, cells)], data


def compressed_tiles(folder: Path, limits: Limits, book: Book, codecs: Sequence[Codec] = CODECS) -> None:
    """P2: one row per codec and operation."""
    about = (
        f"{limits.size} × {limits.size} RGB, 8-bit, 256 × 256 tiles; {cores()} ranks, {cores()} threads of "
        f"{PEER}."
    )
    columns = [name.format(peer=PEER) for name in COLUMNS]
    book.begin(Table("P2", f"compressed tiles, against {PEER}", columns, notes=[about, *NOTES]))
    for codec in codecs:
        one = _Contest(codec, compressed_tiff(folder, limits.size, codec.name), limits)
        for comparison in limits.chosen([each for each in WITH_LIBVIPS if each.name in OPERATIONS]):
            book.measure(f"{codec.name}: `{comparison.steps}`", partial(one.measure, comparison))
    book.end()
