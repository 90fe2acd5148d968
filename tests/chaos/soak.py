"""The soak: hours of work in minutes, while memory and open files are watched."""

import statistics
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from docs.generate.reliability_results import FOLDER, Run
from pipeline.errors import HalorowError
from pipeline.models import Result
from tests.chaos.ground import Ground
from tests.chaos.plot import Line, Plot
from tests.chaos.quiet import expected_of
from tests.chaos.stream import OUTSTANDING
from tests.chaos.workload import Kind, make_kinds

SAMPLE_S = 10.0
SHORT_LISTS = {"HALOROW_FINISHED_TTL_S": "60"}
"""Finished jobs leave the list soon: what is listed for thirty days by design would look like a leak."""

WARM_PART = 0.25
"""Of the soak, at its beginning, in which caches fill; growth is counted from there on."""

MIB = 1 << 20

PARTS = (
    ("ranks", "mpi_stage"),
    ("workers", "ray::Worker"),
    ("gangs", "ray::Gang"),
    ("scheduler", "ray::Scheduler"),
    ("notifier", "pipeline.notify.notifier"),
    ("page", "ui.serve"),
    ("Redis", "redis-server"),
    ("supervisor", "pipeline.cli.main up"),
    ("Ray's log monitor", "log_monitor"),
)
"""Parts by a word of their command lines; all else is Ray's own."""


def part_of(command: str) -> str:
    """Return the part of the service that a command line belongs to."""
    return next((name for name, word in PARTS if word in command), "Ray")


@dataclass
class Samples:
    """Memory and open files of each part of the service, over time."""

    at_s: list[float] = field(default_factory=list)
    memory_bytes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def take(self, at_s: float, root: psutil.Process) -> None:
        """Look once at all processes of the service."""
        memory: dict[str, int] = defaultdict(int)
        files: dict[str, int] = defaultdict(int)
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.Error):
                part = part_of(" ".join(process.cmdline()))
                # What a process has for itself: pages that it shares count elsewhere.
                memory[part] += process.memory_full_info().uss
                files[part] += process.num_fds()
        self.at_s.append(at_s)
        for part in set(memory) | set(self.memory_bytes):
            self.memory_bytes[part].append(memory[part])
            self.files[part].append(files[part])


def growth(values: list[int]) -> float:
    """Return by how much the last quarter's median is above that of the quarter after warming up."""
    start, quarter = int(len(values) * WARM_PART), max(1, len(values) // 4)
    return statistics.median(values[-quarter:]) - statistics.median(values[start : start + quarter])


class Soak:
    """A service under a steady load for some time."""

    def __init__(self, folder: Path, *, seconds: float, per_s: float) -> None:
        """Start the service."""
        self._kinds: list[Kind] = [
            kind for kind in make_kinds(folder / "pictures") if "large" not in kind.name
        ]
        self._expected = expected_of(self._kinds, folder / "quiet")
        self._seconds, self._per_s = seconds, per_s
        self._ground = Ground(folder, env=SHORT_LISTS)
        self._open: dict[str, Kind] = {}
        self.samples = Samples()
        self.jobs = self.lost = self.different = 0

    def run(self) -> None:
        """Submit steadily, sample now and then, and wait for the last job."""
        began_s, sampled_s = time.monotonic(), 0.0
        root = psutil.Process(self._ground.service.process.pid)
        while (at_s := time.monotonic() - began_s) < self._seconds:
            if at_s - sampled_s >= SAMPLE_S:
                sampled_s = at_s
                self.samples.take(at_s, root)
            self._look()
            while self.jobs < at_s * self._per_s and len(self._open) < OUTSTANDING:
                self._submit()
            time.sleep(min(SAMPLE_S, 1 / self._per_s))  # the pace of the load
        while self._open:
            self._look()
            time.sleep(1 / self._per_s)

    def _submit(self) -> None:
        kind = self._kinds[self.jobs % len(self._kinds)]
        job = self._ground.service.client.submit(kind.image, kind.steps, ranks=kind.ranks)
        self._open[job.id] = kind
        self.jobs += 1

    def _look(self) -> None:
        for job_id, kind in list(self._open.items()):
            with suppress(HalorowError):
                ending = self._ground.ending(job_id)
                if ending is None:
                    continue
                del self._open[job_id]
                done = isinstance(ending, Result)
                self.lost += not done
                same = done and ending.pixels_sha256 == self._expected[kind.name].pixels_sha256
                self.different += done and not same

    def stop(self) -> None:
        """End the service."""
        self._ground.service.stop()

    def draw(self, path: Path) -> None:
        """Draw the memory of each part over time."""
        minutes = [at_s / 60 for at_s in self.samples.at_s]
        lines = [
            Line(part, list(zip(minutes[-len(values) :], [v / MIB for v in values], strict=True)))
            for part, values in sorted(self.samples.memory_bytes.items())
        ]
        path.write_text(Plot("Memory of each part", "minutes", "MiB", lines).svg(), encoding="utf-8")


def soak(folder: Path, *, seconds: float, per_s: float, plots: Path = FOLDER) -> Run:
    """Run the service under load for some time; return how memory and open files have grown."""
    since_s, one = time.monotonic(), Soak(folder, seconds=seconds, per_s=per_s)
    try:
        one.run()
    finally:
        one.stop()
    plots.mkdir(parents=True, exist_ok=True)
    one.draw(plots / "soak.svg")
    memory = {part: growth(values) for part, values in one.samples.memory_bytes.items()}
    files = {part: growth(values) for part, values in one.samples.files.items()}
    before = sum(statistics.median(values) for values in one.samples.memory_bytes.values())
    figures = {
        "jobs": one.jobs,
        "minutes": round(seconds / 60, 1),
        "lost": one.lost,
        "different": one.different,
        "memory_growth_percent": round(100 * sum(memory.values()) / before, 2),
        "files_growth": round(sum(files.values())),
    }
    details = {
        "growth of memory, MiB": {part: round(grown / MIB, 1) for part, grown in memory.items()},
        "growth of open files": {part: round(grown) for part, grown in files.items()},
    }
    return Run("soak", 0, figures, round(time.monotonic() - since_s, 1), details)
