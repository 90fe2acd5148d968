"""P11: what the service costs while nobody asks it for anything, in processor time."""

import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from benchmarks.book import Book
from benchmarks.embedded import service
from benchmarks.machine import cores
from benchmarks.scratch import scratch
from benchmarks.table import Table

SETTLE_S = 10.0
"""From the start on: Ray and the page have things to finish before they are idle."""

WATCHED_S = 40.0

PARTS = (
    ("ranks", ("mpi_stage",)),
    ("workers", ("ray::Worker",)),
    ("scheduler", ("ray::Scheduler",)),
    ("supervisor", ("halorow", " up ")),
    ("notifier", ("pipeline.notify.notifier",)),
    ("page", ("ui.serve",)),
    ("Redis", ("redis-server",)),
    ("Ray's own processes", ("ray",)),
)
"""Parts by words of their command lines; the first whose words are all there counts."""

TARGETED = ("ranks", "workers", "scheduler")
REST = "other"
NAMED_AFTER_ACTORS = ("ray::worker-", "ray::scheduler")
"""Names of the threads that an actor's code starts; Ray's own have others, the first one included."""


def below(pid: int) -> list[int]:
    """Return the ids of a process and of all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            found += below(int(child))
    return found


def part_of(command: str) -> str:
    """Return the part that a command line belongs to."""
    return next((name for name, words in PARTS if all(word in command for word in words)), REST)


def processor_s(pids: list[int]) -> Mapping[tuple[str, bool], float]:
    """Return the seconds of processor time that the threads there are have used so far.

    By part, and whether it is a thread that one of our actors has started within Ray's process.
    """
    used: dict[tuple[str, bool], float] = defaultdict(float)
    for pid in pids:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            for task in Path(f"/proc/{pid}/task").iterdir():
                running_ns = int((task / "schedstat").read_text().split()[0])
                ours = (task / "comm").read_text().startswith(NAMED_AFTER_ACTORS)
                used[part_of(command), ours] += running_ns * 1e-9
        except OSError:
            continue
    return used


def watched(pid: int, seconds: float) -> dict[tuple[str, bool], float]:
    """Return the part of one core that each part of a process tree uses over some seconds."""
    before, since = processor_s(below(pid)), time.monotonic()
    time.sleep(seconds)
    after, until = processor_s(below(pid)), time.monotonic()
    return {key: max(0.0, after[key] - before[key]) / (until - since) for key in after}


def idle(folder: Path, book: Book) -> None:
    """P11: processor time of an idle service's process tree."""
    with scratch(folder) as place, service(place / "data", cores()) as running:
        time.sleep(SETTLE_S)
        shares = watched(running.pid, WATCHED_S)
    parts: dict[str, float] = defaultdict(float)
    for (part, _), share in shares.items():
        parts[part] += share
    ours = sum(share for (part, own), share in shares.items() if own or part == "ranks")
    notes = [
        f"Processor time of all threads over {WATCHED_S:.0f} s, {SETTLE_S:.0f} s after the start.",
        f"An embedded service with {cores()} workers; the target is for ranks and actors.",
        "Actors are processes of Ray's, whose own threads use most of this.",
    ]
    data = {"idle": {part: (share,) for part, share in parts.items()}}
    book.begin(Table("P11", "an idle service", ["", "of one core"], notes=notes, data=data))
    book.add(["ranks and actors", f"{sum(parts[part] for part in TARGETED):.2%}"])
    book.add(["of that, what our code does", f"{ours:.2%}"])
    for part in [*(part for part, _ in PARTS), REST]:
        if part in parts:
            book.add([part, f"{parts[part]:.2%}"])
    book.end()
