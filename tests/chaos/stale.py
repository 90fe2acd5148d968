"""Holders that are stopped past their lease and go on after a rival has finished: none may commit."""

import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from docs.generate.reliability_results import Run
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.models import Lane, Result
from pipeline.worlds.processes import is_stopped, spawn
from pipeline.worlds.warm import WarmWorld
from tests.chaos.bench import Bench, bench
from tests.chaos.stale_holder import POINTS
from tests.chaos.workload import make_kinds

PATIENCE_S = 60.0
POLL_S = 0.005


@dataclass
class Tally:
    """What has become of the stale attempts."""

    stopped: int = 0
    refused: int = 0
    lost: int = 0
    two_results: int = 0
    different: int = 0
    points: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)


def until(true, what: str) -> None:
    """Wait for a condition. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {PATIENCE_S:.0f} s")
        time.sleep(POLL_S)


class Holder:
    """The process that stops itself."""

    def __init__(self, point: str, folder: Path, env: dict[str, str]) -> None:
        """Start it, and return when it waits for jobs."""
        argv = [sys.executable, "-m", "tests.chaos.stale_holder", point, str(folder)]
        self.process = spawn(argv, env=env, stdout=subprocess.PIPE)
        self.said()

    def said(self) -> str:
        """Return its next line."""
        return self.process.stdout.readline().decode().strip()

    def go_on(self) -> str:
        """Continue it and return what it says of the job it held."""
        self.process.send_signal(signal.SIGCONT)
        return self.said()

    def close(self) -> None:
        """End it."""
        for one in [*psutil.Process(self.process.pid).children(recursive=True), self.process]:
            with suppress(psutil.Error):
                one.kill()
        self.process.wait()
        self.process.stdout.close()


def stale(folder: Path, *, times: int, seed: int) -> tuple[Run, Tally]:
    """Let ``times`` holders go stale, as often at each point of their work."""
    since_s, tally = time.monotonic(), Tally()
    image, steps = next((kind.image, kind.steps) for kind in make_kinds(folder / "pictures"))
    with bench(folder) as place:
        world = WarmWorld(1)
        rival = JobRunner(
            place.parts,
            world,
            Workplace(place.parts.store, folder / "rival"),
            lane=Lane.SINGLE,
            consumer="rival",
        )
        try:
            for number, point in enumerate(POINTS):
                share = (times + number) // len(POINTS)
                holder = Holder(point, folder / "scratch", place.env)
                try:
                    for _ in range(share):
                        job_id = place.client.submit(image, steps).id
                        tally.points[point] += 1
                        _one(place, holder, rival, job_id, tally)
                finally:
                    holder.close()
        finally:
            world.close()
    figures = {
        name: getattr(tally, name) for name in ("stopped", "refused", "lost", "two_results", "different")
    }
    details = {"stopped by point": tally.points, "how the stale attempts ended": tally.answers}
    return Run("stale", seed, figures, round(time.monotonic() - since_s, 1), details), tally


def _one(place: Bench, holder: Holder, rival: JobRunner, job_id: str, tally: Tally) -> None:
    records = place.parts.records
    until(lambda: is_stopped(holder.process.pid), "the holder's stop")
    tally.stopped += 1
    until(lambda: rival.work_once(block_s=0.05), "a lease that has run out")
    won = records.result(job_id)
    said = holder.go_on()
    if said != f"ended {job_id}":
        raise ValueError(f"the holder of {job_id} said {said!r}")
    _judge(place, job_id, won, tally)


def _judge(place: Bench, job_id: str, won: Result | None, tally: Tally) -> None:
    """See that the rival's result stands, and that nothing of the stale attempt is left."""
    records = place.parts.records
    stands = records.result(job_id)
    if won is None or stands is None:
        tally.lost += 1
        return
    history = records.history(job_id)
    outcome = history.outcomes.get(1)
    tally.answers[outcome.kind if outcome else "the create-only write found the rival's result"] += 1
    tally.two_results += stands != won
    outputs = [key for key in records.keys(job_id) if "/output-" in key]
    tally.different += outputs != [won.output.key]
    tally.refused += stands == won and won.attempt == history.highest > 1
