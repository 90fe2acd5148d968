"""P8: a thousand pictures through the service, against a bare pool. P9: one picture, warm and cold."""

import time
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

from benchmarks.bare_pool import filter_all, filter_jpeg, pool, single_threaded
from benchmarks.book import Book
from benchmarks.commands import halorow_run
from benchmarks.embedded import service
from benchmarks.harness import Series, alternate, ratio
from benchmarks.machine import cores
from benchmarks.pictures import jpegs
from benchmarks.scratch import scratch
from benchmarks.table import Table
from pipeline.client import Client
from pipeline.models import JobState

STEP = "gaussian:sigma=2"
LATENCY_RUNS = 20
STAGE_PHASES = ("read", "decode", "compute", "encode", "write")
SILENCE_S = 5.0
DEADLINE_S = 600.0


def service_side(client: Client, sources: list[Path], *, digest: bool) -> dict[str, float]:
    """Submit every picture and wait for the last result; seconds from the first submission on."""
    orders = (client.order(source, STEP, digest=digest) for source in sources)
    events = client.endings()
    try:
        start = time.perf_counter()
        waiting = {job.id for job in client.submit_many(orders)}
        submitted = time.perf_counter() - start
        while waiting:
            if time.perf_counter() - start > DEADLINE_S:
                raise RuntimeError(
                    f"{len(waiting)} of {len(sources)} jobs are not done after {DEADLINE_S:.0f} s"
                )
            event = events.next(SILENCE_S)
            states = [event.status] if event else [client.status(job) for job in waiting]
            for status in states:
                if status.state.is_final and status.state is not JobState.SUCCEEDED:
                    raise RuntimeError(f"job {status.id} {status.state}: {status.error}")
            waiting -= {status.id for status in states if status.state is JobState.SUCCEEDED}
        return {"all": time.perf_counter() - start, "submitting": submitted}
    finally:
        events.close()


def pool_side(workers: Pool, sources: list[Path], folder: Path) -> dict[str, float]:
    """Filter every picture in the bare pool."""
    start = time.perf_counter()
    filter_all(workers, sources, folder)
    return {"all": time.perf_counter() - start}


def phases(client: Client, count: int) -> str:
    """Return what the ranks spent on the last ``count`` pictures, on average, by phase."""
    reports = [client.result(job.id).report for job in client.jobs(limit=count)]
    whole_s = sum(report["seconds"] for report in reports) / count

    def spent_ms(phase: str) -> float:
        spent_s: float = sum(rank["seconds"][phase] for report in reports for rank in report["ranks"])
        return spent_s / count * 1000

    named = ", ".join(f"{phase} {spent_ms(phase):.1f}" for phase in STAGE_PHASES)
    return f"Without the digest a rank is at a picture for {whole_s * 1000:.1f} ms: {named}."


def rate(count: int, series: Series) -> str:
    """Return pictures per second: median, slowest and fastest run."""
    return f"{count / series.median:.1f} ({count / series.high:.1f}–{count / series.low:.1f})"


def throughput(folder: Path, count: int, runs: int, book: Book) -> None:
    """P8: queue, Ray, stage, store and commit against OpenCV in a pool, on the same cores."""
    distinct = jpegs(folder)
    sources = [distinct[number % len(distinct)] for number in range(count)]
    with scratch(folder) as place, pool(cores()) as workers, service(place / "data", cores()) as running:
        (place / "bare").mkdir()
        sides = {
            "digest": partial(service_side, running.client, sources, digest=True),
            "service": partial(service_side, running.client, sources, digest=False),
            "pool": partial(pool_side, workers, sources, place / "bare"),
        }
        series = alternate(sides, runs)
        spent = phases(running.client, count)
    ours, theirs, digested = (series[side]["all"] for side in ("service", "pool", "digest"))
    submitting = series["service"]["submitting"]
    notes = [
        f"{count} pictures of 1024 × 1024 RGB, JPEG to JPEG, `{STEP}`; median of {runs} runs, in turn.",
        f"{cores()} workers against {cores()} processes, all of them warm.",
        "The pool computes no digest of the pixels, so the service is asked for none, as with `--no-digest`.",
        "Both sides decode to the same pixels, and encode with quality 90 and half the colour resolution.",
        f"From the first submission to the last result; submitting takes {submitting} s of it.",
        spent,
    ]
    data = {side: {clock: s.values for clock, s in clocks.items()} for side, clocks in series.items()}
    columns = ["", "pictures/s", "ratio"]
    book.begin(Table("P8", "many pictures, against a bare pool", columns, notes=notes, data=data))
    book.add(["service", rate(count, ours), str(ratio(theirs, ours))])
    book.add(["service, with the pixels' digest", rate(count, digested), str(ratio(theirs, digested))])
    book.add(["bare pool", rate(count, theirs)])
    book.end()


def latency_side(client: Client, source: Path) -> dict[str, float]:
    """Submit one picture to the idle service; seconds until its success is told."""
    start = time.perf_counter()
    job = client.submit(source, STEP)
    for event in client.watch(job.id):
        last = event.status
    seconds = time.perf_counter() - start
    if last.state is not JobState.SUCCEEDED:
        raise RuntimeError(f"job {job.id} {last.state}: {last.error}")
    return {"all": seconds}


def bare_side(source: Path, target: Path) -> dict[str, float]:
    """Decode, filter and encode in this process."""
    start = time.perf_counter()
    filter_jpeg((source, target))
    return {"all": time.perf_counter() - start}


def cold_side(source: Path, target: Path) -> dict[str, float]:
    """Start a world for one picture, as ``halorow run`` does."""
    return {"all": halorow_run(source, target, [STEP], cores())["whole"]}


def cold_and_warm(folder: Path, runs: int, book: Book) -> None:
    """P9: what the service and a cold world add to the bare work on one picture."""
    source = jpegs(folder)[0]
    single_threaded()
    with scratch(folder) as place, service(place / "data", cores()) as running:
        bare, target = place / "bare.jpg", place / "cold.jpg"
        sides = {
            "bare": partial(bare_side, source, bare),
            "warm": partial(latency_side, running.client, source),
        }
        series = alternate(sides, max(runs, LATENCY_RUNS), warm_ups=3)
        series |= alternate({"cold": partial(cold_side, source, target)}, runs)
    base = series["bare"]["all"].median

    def row(name: str, side: str) -> list[str]:
        taken = series[side]["all"]
        ends = f"{taken.low * 1000:.0f}–{taken.high * 1000:.0f}"
        return [name, f"{taken.median * 1000:.0f} ({ends})", f"{(taken.median - base) * 1000:+.0f}"]

    note = (
        f"One 1024 × 1024 RGB JPEG, `{STEP}`; from submission until success is told; start to exit when cold."
    )
    data = {side: clocks["all"].values for side, clocks in series.items()}
    columns = ["", "ms", "more than bare, ms"]
    book.begin(Table("P9", "one picture", columns, notes=[note], data=data))
    for name, side in (
        ("bare decode, filter, encode", "bare"),
        ("idle, warm service", "warm"),
        ("`halorow run`, cold world", "cold"),
    ):
        book.add(row(name, side))
    book.end()
