"""How work and bytes grow with the ranks, counted; the cost model, checked and applied: docs/scaling.md."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.archive import archive_rows, picture_rows
from benchmarks.book import Book
from benchmarks.hosts import Hosts, HostsWorld, why_impossible
from benchmarks.machine import describe
from benchmarks.pictures import large_tiff
from benchmarks.table import Table
from mpi_stage.contract import Report, Request
from mpi_stage.operations.spelling.grammar import parse, to_json
from mpi_stage.planning.forecast import Load, Rates, Stored, loads, seconds
from mpi_stage.rank.planned import plan_request
from pipeline.worlds.world import World

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "scaling.md"
RANKS = (1, 2, 4, 8, 16, 32, 64)
SIZE_PX = 2048
COUNTED = (
    "gaussian:sigma=2 sobel",
    "equalize:channels=each",
    "canny:sigma=1.4",
    "gaussian rotate90",
    "lowpass",
)
HOSTS = 4
LINKED = {
    "box:size=201": (50_000_000, 20_000_000, 10_000_000),
    "lowpass": (200_000_000, 100_000_000, 50_000_000),
}
"""Steps, and links so narrow, in bits a second, that they set the pace."""

LATENCY_S = 200e-6
DEADLINE_S = 110.0
MEGABYTE = 1e6
PACKING = 1.05
"""Bytes on the wire over those of the pixels: headers and acknowledgements of TCP."""


@dataclass(frozen=True)
class Measured:
    """What a world did, and what its plan foretold of each rank."""

    report: Report
    foretold: list[Load]


def main() -> None:
    """Measure all parts; write the results and the page."""
    machine = describe()
    book = Book(machine, HERE / "results" / f"scaling-{machine.slug}.md")
    print(f"{machine}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        source = large_tiff(Path(folder), SIZE_PX)
        parts = {"counts": count(source, book), "links": link(source, book)}
    parts["archive"] = apply("an archive of a petapixel on 1,000 nodes", archive_rows(), book)
    parts["picture"] = apply("one picture of a petapixel", picture_rows(), book)
    fill(PAGE, {name: table for name, table in parts.items() if table is not None})
    print(f"written to {book.path} and {PAGE}")


def count(source: Path, book: Book) -> Table:
    """Count what the busiest rank of 1 to 64 reads, writes and sends."""
    columns = [
        "steps",
        "ranks",
        "rows",
        "read, MB",
        "written, MB",
        "sent, MB",
        "forecast, MB",
        "sent by all, MB",
    ]
    note = (
        f"{SIZE_PX} × {SIZE_PX} RGB, 8-bit, uncompressed tiles; the rank with most, what a library reads at "
        "its import included. More ranks than cores: these are counts, not speeds."
    )
    table = Table("scaling", "work and bytes of one rank", columns, notes=[note])
    book.begin(table)
    for ranks in RANKS:
        with World(ranks) as world:
            for steps in COUNTED:
                measured = run(world, source, steps)
                book.add([f"`{steps}`", str(ranks), *_counts(measured)], measured.report.to_json()["ranks"])
    book.end()
    return table


def _counts(measured: Measured) -> list[str]:
    ranks = measured.report.ranks
    most = [
        max(getattr(rank, name) for rank in ranks) for name in ("read_bytes", "written_bytes", "sent_bytes")
    ]
    cells = [
        *most,
        max(load.sent_bytes for load in measured.foretold),
        sum(rank.sent_bytes for rank in ranks),
    ]
    return [str(max(rank.rows for rank in ranks)), *(f"{value / MEGABYTE:.2f}" for value in cells)]


def link(source: Path, book: Book) -> Table | None:
    """Hold the model against worlds on several hosts whose links are narrow; None where there are none."""
    reason = why_impossible()
    if reason:
        print(f"links are left out: {reason}")
        return None
    columns = ["steps", "ranks", "hosts", "link, Mbit/s", "measured, s", "model, s", "model / measured"]
    columns += ["a host sent, MB", "model, MB"]
    notes = [
        "Each host is a network namespace; every link is limited in both directions by a token bucket.",
        "The model gets the time without limits as the time of the sweep; the rest is what it says of links.",
        "Bytes are those of the host that sent most, by the counter of its interface, headers included.",
    ]
    table = Table("scaling", "the model against narrow links", columns, notes=notes)
    book.begin(table)
    with Hosts(HOSTS) as hosts:
        for ranks in (HOSTS, 2 * HOSTS):
            with HostsWorld(ranks, hosts) as world:
                for steps, links in LINKED.items():
                    for cells, data in _narrower(world, hosts, source, steps, links):
                        book.add(cells, data)
    book.end()
    return table


def _narrower(
    world: World, hosts: Hosts, source: Path, steps: str, links: Sequence[int]
) -> Iterator[tuple[list[str], object]]:
    """Yield a row for each width of the links."""
    hosts.limit(None)
    run(world, source, steps)
    free_s = min(run(world, source, steps).report.seconds for _ in range(3))
    between = foretell(source, steps, HOSTS)
    for bits_s in links:
        hosts.limit(bits_s)
        before = hosts.sent_bytes()
        measured = run(world, source, steps)
        sent_bytes = max(now - then for now, then in zip(hosts.sent_bytes(), before, strict=True))
        foretold_bytes = max(load.sent_bytes for load in between) * PACKING
        rates = Rates(
            read_bytes_s=float("inf"),
            written_bytes_s=float("inf"),
            core_speed=max(load.core_s for load in measured.foretold) / free_s,
            link_bytes_s=bits_s / 8 / PACKING,
            latency_s=LATENCY_S,
            start_s=0.0,
        )
        model_s = seconds(measured.foretold, rates, between)
        taken_s = measured.report.seconds
        figures = [f"{bits_s / 1e6:.0f}", f"{taken_s:.2f}", f"{model_s:.2f}", f"{model_s / taken_s:.2f}"]
        figures += [f"{sent_bytes / MEGABYTE:.2f}", f"{foretold_bytes / MEGABYTE:.2f}"]
        data = {"free_s": free_s, "measured_s": taken_s, "model_s": model_s}
        data |= {"sent_bytes": sent_bytes, "model_bytes": foretold_bytes}
        yield [f"`{steps}`", str(world.ranks), str(HOSTS), *figures], data
    hosts.limit(None)


def apply(title: str, rows: Sequence[Sequence[str]], book: Book) -> Table:
    """Record what the model says of something too large to be measured."""
    table = Table("scaling", f"the model on {title}", list(rows[0]))
    book.begin(table)
    for row in rows[1:]:
        book.add(list(row))
    book.end()
    return table


def run(world: World, source: Path, steps: str) -> Measured:
    """Filter a picture with a world and look up what its plan foretold."""
    with _request(source, steps) as request:
        report = world.run(request, deadline_s=DEADLINE_S)
    return Measured(report, foretell(source, steps, world.ranks))


def foretell(source: Path, steps: str, ranks: int) -> list[Load]:
    """Return what each rank of a world would have to do."""
    with _request(source, steps) as request:
        plan, header, sink, _ = plan_request(request, ranks)
    return loads(plan, Stored.of(header, sink))


@contextmanager
def _request(source: Path, steps: str) -> Iterator[Request]:
    output = source.with_name("scaled.tif")
    request = Request("scaling", str(source), str(output), output.name, to_json(parse(steps.split())))
    try:
        yield replace(request, digest=False)
    finally:
        output.unlink(missing_ok=True)


def fill(page: Path, tables: dict[str, Table]) -> None:
    """Put tables into a page, each between the marks of its name. Raises ValueError where one has none."""
    text = page.read_text()
    for name, table in tables.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        body = table.markdown().split("\n", 2)[2]

        def place(found: re.Match[str], body: str = body) -> str:
            return f"{found[1]}\n{body}\n{found[2]}"

        text, times = marks.subn(place, text)
        if times != 1:
            raise ValueError(f"{page} has {times} places for {name}, not one")
    page.write_text(text)


if __name__ == "__main__":
    main()
