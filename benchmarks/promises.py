"""What is promised, held against what happens: P4 flat memory, P5 predicted memory, P7 bytes over MPI."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.book import Book, Row
from benchmarks.comparisons import WITH_LIBVIPS, WITH_OPENCV, Comparison
from benchmarks.files import Limits
from benchmarks.machine import cores
from benchmarks.pictures import cell, large_tiff
from benchmarks.table import Table
from mpi_stage.contract import Report, Request
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.world import World

STEPS = "gaussian:sigma=3 sobel"
WIDTH_PX = 10_000
HEIGHTS_PX = (10_000, 1_000_000)
FILLED_ROWS = 64
MEGABYTE = 1e6
MOST_MEGABYTES = 300

PREDICTED_PX = 4096
TOO_HIGH = 1.5

TRAFFIC_RANKS = 3
TRAFFIC_WIDTH_PX = 1024
TRAFFIC_HEIGHTS_PX = (1024, 8192, 65_536)
TRAFFIC_STEPS = "gaussian:size=9 box:size=5 sobel"
TRAFFIC_HALO_ROWS = 4 + 2 + 1
CHANNELS = 3


def flat_memory(folder: Path, book: Book) -> None:
    """P4: one rank's memory on a picture and on one a hundred times as high."""
    columns = ["picture", "RssAnon at its peak, MB", "of the lower one's"]
    notes = [
        f"`{STEPS}` on one rank; RGB, 8-bit, a file of zeros but for {FILLED_ROWS} rows in its middle.",
        f"Target: the same within 10 %, at most {MOST_MEGABYTES} MB.",
    ]
    book.begin(Table("P4", "memory does not grow with the picture", columns, notes=notes))
    first: list[float] = []
    for height in HEIGHTS_PX:
        name = f"{WIDTH_PX:,} × {height:,} px, {WIDTH_PX * height // 10**6:,} MP"
        book.measure(name, partial(_peak, folder, height, first))
    book.end()


def _peak(folder: Path, height: int, first: list[float]) -> Row:
    with sparse(folder, height, WIDTH_PX) as source, World(1) as world:
        report = _run(world, source, STEPS)
    peak = report.ranks[0].peak_anon_bytes / MEGABYTE
    first.append(peak)
    return [f"{peak:.1f}", f"{peak / first[0]:.2f}×"], peak


def predicted_memory(folder: Path, limits: Limits, book: Book) -> None:
    """P5: the plan's memory over the measured one, for every operation that a peer has."""
    size = min(limits.size, PREDICTED_PX)
    source = large_tiff(folder, size)
    columns = ["plans", "least", "median", "greatest", f"above {TOO_HIGH}"]
    notes = [
        (
            f"Predicted over measured peak (RssAnon) of the rank with most; {size}² RGB, {cores()} ranks, "
            "with the digest. Without it, what goes tile by tile takes less."
        ),
        "Target: never below 1, at most 1.5. 500 generated plans: `make fuzz`.",
    ]
    book.begin(Table("P5", "the memory that a plan predicts", columns, notes=notes))
    chosen = limits.chosen((*WITH_LIBVIPS, *WITH_OPENCV))
    book.measure(f"{len(chosen)} pipelines", partial(_predict, source, size, chosen))
    book.end()


def _predict(source: Path, size: int, chosen: list[Comparison]) -> Row:
    ratios = {}
    for one in chosen:
        steps = one.steps.format(half=size // 2, quarter=size // 4)
        with World(cores()) as world:
            promised = world.plan(_request(source, steps))["peak_bytes_per_rank"]
            report = _run(world, source, steps, digest=True)
        ratios[steps] = promised / max(rank.peak_anon_bytes for rank in report.ranks)
    values = sorted(ratios.values())
    figures = [values[0], statistics.median(values), values[-1]]
    above = sum(value > TOO_HIGH for value in values)
    return [*(f"{value:.2f}" for value in figures), f"{above} of {len(values)}"], ratios


def traffic(folder: Path, book: Book) -> None:
    """P7: what a rank sends does not depend on the picture's height."""
    columns = ["height, px", "halo rows × bytes of a row", "sent by each rank"]
    note = f"`{TRAFFIC_STEPS}`, {TRAFFIC_WIDTH_PX} px wide, {TRAFFIC_RANKS} ranks: one neighbour, two, one."
    book.begin(Table("P7", "bytes over MPI", columns, notes=[note]))
    with World(TRAFFIC_RANKS) as world:
        for height in TRAFFIC_HEIGHTS_PX:
            book.measure(f"{height:,}", partial(_sent, folder, height, world))
    book.end()


def _sent(folder: Path, height: int, world: World) -> Row:
    with sparse(folder, height, TRAFFIC_WIDTH_PX) as source:
        report = _run(world, source, TRAFFIC_STEPS)
    sent = [rank.sent_bytes for rank in report.ranks]
    halo = TRAFFIC_HALO_ROWS * TRAFFIC_WIDTH_PX * CHANNELS
    return [f"{halo:,}", " ".join(f"{value:,}" for value in sent)], sent


@contextmanager
def sparse(folder: Path, rows: int, columns: int) -> Iterator[Path]:
    """Make an RGB TIFF of which only a few rows are stored, and remove it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"sparse-{columns}x{rows}.tif"
    shape = (rows, columns, CHANNELS)
    image = tifffile.memmap(path, shape=shape, dtype=np.uint8, photometric="rgb", bigtiff=True, metadata=None)
    picture = cell(0)[:FILLED_ROWS]
    width = min(columns, picture.shape[1])
    image[rows // 2 : rows // 2 + FILLED_ROWS, :width] = picture[:, :width]
    image.flush()
    try:
        yield path
    finally:
        path.unlink()


def _request(source: Path, steps: str) -> Request:
    output = source.with_name("promised.tif")
    words = to_json(parse(steps.split()))
    return Request("promises", str(source), str(output), output.name, words, digest=False)


def _run(world: World, source: Path, steps: str, *, digest: bool = False) -> Report:
    request = replace(_request(source, steps), digest=digest)
    try:
        return world.run(request)
    finally:
        Path(request.output).unlink(missing_ok=True)
