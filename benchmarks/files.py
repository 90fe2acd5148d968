"""P1, P1b, P3: one file to another against libvips, OpenCV and the floor. P6: what a second rank brings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

from benchmarks.book import Book, Row
from benchmarks.commands import halorow_run, peer_run
from benchmarks.comparisons import CHAIN, WITH_LIBVIPS, WITH_OPENCV, WITH_OPENCV_SLOW, Comparison
from benchmarks.floor import copiers, copy_all, kernel_seconds
from benchmarks.harness import Ratio, Series, alternate, geometric_mean, ratio, seconds
from benchmarks.kernels import KERNELS, PARTS
from benchmarks.machine import cores
from benchmarks.pictures import large_tiff
from benchmarks.table import Table

COMPUTE_BOUND = ("gaussian:sigma=3", "median:size=5", "canny:low=50,high=150", "gaussian:sigma=3 sobel")
SMALLER_PX = 4096
SLOW_PX = 1024
READ_BYTES = 8 << 20

LIBVIPS = ("vips_side", "libvips")

COLUMNS = ["step", "runs", "halorow, s", "{peer}, s", "ratio", "halorow whole, s", "{peer} whole, s", "ratio"]
FLOOR_COLUMNS = ["copy, s", "kernel, s", "of the floor"]

ABOUT_THE_CLOCKS = (
    "Median (shortest–longest) of the runs, sides in turn; above 1× halorow is the faster.",
    (
        "The first clocks leave out start-up (interpreter, imports and, for halorow, the MPI world); the "
        "'whole' ones run from a process's start to its exit."
    ),
    (
        "Input in the page cache, output a new file on both sides; halorow with `--no-digest`, since the "
        "peers compute none."
    ),
)
ABOUT_THE_FLOOR = (
    (
        "P1b: 'copy' is a bare parallel copy of the input's bytes to as many as the result has; 'kernel' "
        "is OpenCV's on a block in cache, on all cores; 'of the floor' is halorow's time over their sum."
    ),
)
ABOUT_LIBVIPS = (
    (
        "libvips's Gaussian cuts its kernel shorter; its `sobel`, `scharr` and `prewitt` keep the colours, "
        "which is faster for it; its `canny` has no hysteresis; its `labelregions` also labels the ground."
    ),
)
ABOUT_THE_CHAIN = (
    "halorow reads the picture once and writes the result once, all steps in one pass; libvips computes "
    "on demand, and its `sobel` is here that of the gray picture too."
)
ABOUT_OPENCV = (
    (
        "The picture is decoded and encoded by tifffile and held in memory as a whole; `lowpass` is SciPy's "
        "FFT; `hough` does not draw its lines."
    ),
)


@dataclass(frozen=True)
class Limits:
    """How much is measured.

    Attributes
    ----------
    size: edge of the large picture, pixels; the smaller ones are never larger.
    runs: how often each side counts at most.
    budget_s: no further round of a row begins after so many seconds, once it has three.
    only: the peer's names of the operations to measure; all if empty.

    """

    size: int
    runs: int
    budget_s: float
    only: Sequence[str] = ()

    def chosen(self, comparisons: Sequence[Comparison]) -> list[Comparison]:
        """Return the comparisons that are wanted."""
        return [one for one in comparisons if not self.only or one.name in self.only]


@dataclass
class Means:
    """The ratios of a table's rows, for their geometric means."""

    inside: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    def cells(self) -> list[str]:
        """Return the last row."""
        inside, whole = geometric_mean(self.inside), geometric_mean(self.whole)
        return ["geometric mean", "", "", "", f"{inside:.2f}×", "", "", f"{whole:.2f}×"]


@dataclass(frozen=True)
class Contest:
    """One picture, and a peer to be compared with on it."""

    program: str
    peer: str
    source: Path
    size: int
    limits: Limits
    means: Means = field(default_factory=Means)

    def columns(self) -> list[str]:
        """Return the names of the columns."""
        return [name.format(peer=self.peer) for name in COLUMNS]

    def about_the_picture(self) -> str:
        """Return a note on what is filtered."""
        return (
            f"{self.size} × {self.size} RGB, 8-bit, 256 × 256 tiles, uncompressed BigTIFF to the same; "
            f"{cores()} ranks, {cores()} threads of {self.peer}."
        )

    def steps(self, one: Comparison) -> str:
        """Return the steps with what depends on the picture's size filled in."""
        return one.steps.format(half=self.size // 2, quarter=self.size // 4)

    def measure(self, one: Comparison, pool: Pool | None = None) -> Row:
        """Measure one operation on both sides, and its floor if there is a pool of copiers."""
        target = self.source.parent / "out.tif"
        words = self.steps(one).split()
        sides = {
            "halorow": partial(halorow_run, self.source, target, words, cores()),
            self.peer: partial(peer_run, self.program, one.name, self.source, target),
        }
        if pool is not None:
            sides["copy"] = partial(copy_all, pool, self.source, target, PARTS.get(one.name, 1))
        series = alternate(sides, self.limits.runs, warm_ups=0, budget_s=self.limits.budget_s)
        cells = self._cells(series["halorow"], series[self.peer])
        data: dict[str, object] = {
            side: {clock: taken.values for clock, taken in clocks.items()} for side, clocks in series.items()
        }
        if pool is not None:
            copying = series["copy"]["inside"].median
            kernel = kernel_seconds(pool, one.name, self.size**2)
            times = series["halorow"]["inside"].median / (copying + kernel)
            cells += [seconds(copying), seconds(kernel), f"{times:.2f}×"]
            data["kernel"] = kernel
        return cells, data

    def warm_up(self) -> None:
        """Bring the picture and both programs into the page cache."""
        with self.source.open("rb", buffering=0) as file:
            while file.read(READ_BYTES):
                pass
        target = self.source.parent / "out.tif"
        halorow_run(self.source, target, ["invert"], cores())

    def _cells(self, ours: Mapping[str, Series], theirs: Mapping[str, Series]) -> list[str]:
        inside: Ratio = ratio(theirs["inside"], ours["inside"])
        whole: Ratio = ratio(theirs["whole"], ours["whole"])
        self.means.inside.append(inside.value)
        self.means.whole.append(whole.value)
        cells = (ours["inside"], theirs["inside"], inside, ours["whole"], theirs["whole"], whole)
        return [str(len(ours["whole"].values)), *map(str, cells)]


def contest(folder: Path, size: int, limits: Limits, program: str, peer: str) -> Contest:
    """Return a contest on a picture of a size."""
    return Contest(program, peer, large_tiff(folder, size), size, limits)


def against_peers(folder: Path, limits: Limits, book: Book) -> None:
    """P1 and P1b: every operation that a peer also has, plain tiles to plain tiles, on all cores."""
    opencv = ("opencv_side", "OpenCV")
    _with_floor(contest(folder, limits.size, limits, *LIBVIPS), limits.chosen(WITH_LIBVIPS), book)
    smaller = contest(folder, min(limits.size, SMALLER_PX), limits, *opencv)
    _more(smaller, limits.chosen(WITH_OPENCV), ABOUT_OPENCV, book)
    slow = contest(folder, min(limits.size, SLOW_PX), limits, *opencv)
    _more(slow, limits.chosen(WITH_OPENCV_SLOW), (), book)


def chain(folder: Path, limits: Limits, book: Book) -> None:
    """P3: six steps in one pass, against the same chain in libvips."""
    one = contest(folder, limits.size, limits, *LIBVIPS)
    notes = [one.about_the_picture(), ABOUT_THE_CHAIN, *ABOUT_THE_CLOCKS]
    book.begin(Table("P3", "a chain of six steps, against libvips", one.columns(), notes=notes))
    one.warm_up()
    book.measure(f"`{CHAIN.steps}`", partial(one.measure, CHAIN))
    book.end()


def _with_floor(one: Contest, chosen: Sequence[Comparison], book: Book) -> None:
    if not chosen:
        return
    notes = [one.about_the_picture(), *ABOUT_THE_CLOCKS, *ABOUT_THE_FLOOR, *ABOUT_LIBVIPS]
    title = "file to file, against libvips and (P1b) the floor"
    book.begin(Table("P1", title, [*one.columns(), *FLOOR_COLUMNS], notes=notes))
    one.warm_up()
    with copiers() as pool:
        for comparison in chosen:
            floor = pool if comparison.name in KERNELS else None
            book.measure(f"`{one.steps(comparison)}`", partial(one.measure, comparison, floor))
    _close(one, book)


def _more(one: Contest, chosen: Sequence[Comparison], about: Sequence[str], book: Book) -> None:
    if not chosen:
        return
    notes = [one.about_the_picture(), "Clocks and ratios as in the first table.", *about]
    title = f"operations, against {one.peer}, {one.size} × {one.size}"
    book.begin(Table("P1", title, one.columns(), notes=notes))
    one.warm_up()
    for comparison in chosen:
        book.measure(f"`{one.steps(comparison)}`", partial(one.measure, comparison))
    _close(one, book)


def _close(one: Contest, book: Book) -> None:
    if one.means.whole:
        book.add(one.means.cells())
    book.end()


def two_ranks(folder: Path, limits: Limits, book: Book) -> None:
    """P6: compute-bound steps on two ranks against one."""
    size = limits.size
    source = large_tiff(folder, size)
    note = f"{size} × {size} RGB as in P1; seconds inside the stage, median of the runs, in turn."
    columns = ["steps", "1 rank, s", "2 ranks, s", "ratio"]
    book.begin(Table("P6", "two ranks against one", columns, notes=[note]))
    for steps in COMPUTE_BOUND:
        book.measure(f"`{steps}`", partial(_scale, source, steps, limits))
    book.end()


def _scale(source: Path, steps: str, limits: Limits) -> Row:
    target = source.parent / "out.tif"
    sides = {f"{n}": partial(halorow_run, source, target, steps.split(), n) for n in (1, 2)}
    series = alternate(sides, limits.runs, budget_s=limits.budget_s)
    one, two = series["1"]["inside"], series["2"]["inside"]
    return [str(one), str(two), str(ratio(one, two))], {"1": one.values, "2": two.values}
