"""P1: one file to another against libvips. P6: what a second rank brings."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.commands import halorow_run, vips_run
from benchmarks.harness import Ratio, alternate, geometric_mean, ratio
from benchmarks.machine import cores
from benchmarks.pictures import large_tiff
from benchmarks.table import Table

# What libvips calls an operation, and the step that does the same here.
AGAINST_VIPS = {
    "invert": "invert",
    "gaussian": "gaussian:sigma=2",
    "median": "median:size=3",
    "sobel": "sobel",
    "canny": "canny:low=50,high=150,sigma=1.4",
    "equalize": "equalize:channels=each",
}
NOTES_ON_THE_PEER = (
    "halorow runs with `--no-digest`, since libvips computes none.",
    "libvips's Gaussian cuts its kernel shorter; its `sobel` keeps the colours, which is faster for it.",
    "libvips's `canny` has no hysteresis.",
)
COMPUTE_BOUND = ("gaussian:sigma=3", "median:size=5", "canny:low=50,high=150", "gaussian:sigma=3 sobel")

Announce = Callable[[str], None]


def against_vips(folder: Path, size: int, runs: int, announce: Announce) -> Table:
    """P1: every operation that both have, uncompressed tiles to uncompressed tiles, on all cores."""
    source = large_tiff(folder, size)
    target = folder / "out.tif"
    rows, data = [], {}
    inside: list[Ratio] = []
    whole: list[Ratio] = []
    for name, step in AGAINST_VIPS.items():
        announce(f"P1 {step}")
        sides = {
            "halorow": partial(halorow_run, source, target, [step], cores()),
            "libvips": partial(vips_run, name, source, target),
        }
        series = alternate(sides, runs)
        ours, theirs = series["halorow"], series["libvips"]
        inside.append(ratio(theirs["inside"], ours["inside"]))
        whole.append(ratio(theirs["whole"], ours["whole"]))
        cells = (ours["inside"], theirs["inside"], inside[-1], ours["whole"], theirs["whole"], whole[-1])
        rows.append([f"`{step}`", *map(str, cells)])
        data[name] = {
            side: {clock: s.values for clock, s in clocks.items()} for side, clocks in series.items()
        }
    target.unlink(missing_ok=True)
    means = [geometric_mean([r.value for r in ratios]) for ratios in (inside, whole)]
    rows.append(["geometric mean", "", "", f"{means[0]:.2f}×", "", "", f"{means[1]:.2f}×"])
    excluded, included = "without start-up", "with start-up"
    columns = [
        "step",
        f"halorow, s, {excluded}",
        "libvips, s",
        "ratio",
        f"halorow, s, {included}",
        "libvips, s",
        "ratio",
    ]
    notes = [
        f"{size} × {size} RGB, 8-bit, 256 × 256 tiles, uncompressed BigTIFF in the page cache to a new file.",
        f"Median (shortest–longest) of {runs} runs, in turn; {cores()} ranks, {cores()} libvips threads.",
        "Above 1× halorow is the faster. Start-up: the interpreter, imports and, for halorow, the MPI world.",
        *NOTES_ON_THE_PEER,
    ]
    return Table("P1", "file to file, against libvips", columns, rows, notes, data)


def two_ranks(folder: Path, size: int, runs: int, announce: Announce) -> Table:
    """P6: compute-bound steps on two ranks against one."""
    source = large_tiff(folder, size)
    target = folder / "out.tif"
    rows, data = [], {}
    for steps in COMPUTE_BOUND:
        announce(f"P6 {steps}")
        sides = {f"{n}": partial(halorow_run, source, target, steps.split(), n) for n in (1, 2)}
        series = alternate(sides, runs)
        one, two = series["1"]["inside"], series["2"]["inside"]
        rows.append([f"`{steps}`", str(one), str(two), str(ratio(one, two))])
        data[steps] = {"1": one.values, "2": two.values}
    target.unlink(missing_ok=True)
    note = f"{size} × {size} RGB as in P1; seconds inside the stage, median of {runs} runs, in turn."
    return Table(
        "P6", "two ranks against one", ["steps", "1 rank, s", "2 ranks, s", "ratio"], rows, [note], data
    )
