"""The storm: a steady stream of jobs, and one fault after another; then the verdict."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from docs.generate.reliability_results import Run
from pipeline.errors import HalorowError
from pipeline.models import Result
from tests.chaos.band_watch import BandWatch
from tests.chaos.bucket import STORE_FAULTS, Bucket, bucket
from tests.chaos.faults import FAULTS, Fault, draw
from tests.chaos.ground import Ground, small_disk
from tests.chaos.quiet import Expected, expected_of
from tests.chaos.rework import Rework
from tests.chaos.stream import LOOK_S, Stream
from tests.chaos.verdict import Verdict, judge
from tests.chaos.workload import Kind, make_kinds
from tests.embedded_service import lives

MISSED_S = 5.0
"""After so long without anything to be struck, another fault is drawn."""

GONE_S = 10.0
"""So long after the service's end its last process may go."""

CALM_S = 150.0
"""If no job ends for so long, the service does not go on by itself any more."""

BANDS = {"HALOROW_BAND_BYTES": str(400 << 10)}
"""A row of tiles of the large pictures makes a band, of which their outputs have six and twelve."""


class StuckError(Exception):
    """Raised when the service has stopped to make progress."""


@dataclass
class Weather:
    """What has struck so far."""

    struck: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    recovery_s: dict[str, float] = field(default_factory=dict)


class Storm:
    """One run of the harness; the same seed makes the same jobs and draws the same faults."""

    def __init__(
        self,
        folder: Path,
        disk: Path | None,
        bucket: Bucket | None,
        *,
        jobs: int,
        faults: int,
        seed: int,
    ) -> None:
        """Get ready: draw the pictures, and find out what a quiet run makes of them."""
        self.kinds: list[Kind] = make_kinds(folder / "pictures")
        self.expected: dict[str, Expected] = expected_of(self.kinds, folder / "quiet")
        self._folder = folder
        self._disk, self._bucket = disk, bucket
        self._jobs, self._faults, self._seed = jobs, faults, seed
        self.weather = Weather()
        self.rework = Rework()
        self.left: list[str] = []
        self.stream: Stream
        self.ground: Ground

    def rage(self, among: Sequence[Fault], plan: Sequence[Fault] = ()) -> Verdict:
        """Start the service, let it all happen, and judge. Raises StuckError.

        The faults are those of ``plan``, else drawn from ``among``.
        """
        choice = Random(self._seed)
        plan = plan or [draw(choice, among) for _ in range(self._faults)]
        self.ground = Ground(self._folder, self._disk, self._bucket, BANDS, relayed=True)
        self.stream = Stream(self.ground, self.kinds, self._jobs, self._seed)
        bands = self.ground.data / "store" / "objects" / "bands"
        self._watch = BandWatch(bands, lambda: self.stream.unfinished)
        try:
            self._strike_all(plan, among)
            self._await(lambda: self.stream.is_done, "the end of all jobs")
            self._await(self._is_settled, "the end of the last marker")
            verdict = judge(self.ground, self.stream.jobs, self.expected)
            self._count_bands(verdict)
        finally:
            self._end()
        verdict.faulty += self.left
        return verdict

    def _strike_all(self, plan: Sequence[Fault], among: Sequence[Fault]) -> None:
        aim = Random(self._seed + 1)
        for number, planned in enumerate(plan):
            # Spread over the jobs: the service must have come on again before the next one strikes.
            mark = number * self._jobs // len(plan)
            since_s = time.monotonic()
            self._await(lambda mark=mark: self.stream.finished >= mark, f"{mark} finished jobs")
            self._note_recovery(time.monotonic() - since_s)
            fault, since_s = planned, time.monotonic()
            while not self._strike(fault, aim):
                time.sleep(LOOK_S)  # what could be struck is not there yet
                self.stream.look()  # or no job would come after those that are waited for
                if time.monotonic() - since_s > MISSED_S:
                    self.weather.missed[fault.name] += 1
                    fault = draw(aim, among)

    def _strike(self, fault: Fault, aim: Random) -> bool:
        struck = fault.strike(self.ground, aim)
        if struck:
            print(f"{self.stream.finished:5} jobs done: {fault.name}", flush=True)
            self.weather.struck[fault.name] += 1
            self._last = fault.name
        return struck

    def _note_recovery(self, seconds: float) -> None:
        if self.weather.struck:
            longest = self.weather.recovery_s.get(self._last, 0.0)
            self.weather.recovery_s[self._last] = round(max(longest, seconds), 1)

    def _await(self, true, what: str) -> None:
        done, since_s = self.stream.finished, time.monotonic()
        while not true():
            self.stream.look()
            if self.stream.finished != done:
                done, since_s = self.stream.finished, time.monotonic()
            if time.monotonic() - since_s > CALM_S:
                left = ", ".join(self.stream.unfinished)
                raise StuckError(
                    f"no job has ended for {CALM_S:.0f} s while waiting for {what}; left: {left}"
                )
            time.sleep(LOOK_S)

    def _is_settled(self) -> bool:
        """Whether no job is open, and the news of all their ends has reached the board."""
        if list(self.ground.records.store.list("open/")):
            return False
        try:
            client = self.ground.service.client
            return all(client.status(job.id).state.is_final for job in self.stream.jobs)
        except HalorowError:
            return False

    def _count_bands(self, verdict: Verdict) -> None:
        """See how many bands were made again; in a bucket they have no journals to be watched."""
        if self._bucket is not None:
            return
        for job in self.stream.jobs:
            ending = self.ground.ending(job.id)
            if isinstance(ending, Result):
                self.rework.add(job.id, ending.report, ending.attempt, self._watch.seen.get(job.id, {}))
        verdict.faulty += self.rework.faulty

    def _end(self) -> None:
        self._watch.stop()
        below = {process: _shown(process) for process in self.ground.service.processes()}
        self.ground.end()
        until_s = time.monotonic() + GONE_S
        while any(map(lives, below)) and time.monotonic() < until_s:
            time.sleep(LOOK_S)  # what ends the service's last processes begins when the service has ended
        alive = [said for process, said in below.items() if lives(process)]
        self.left = [f"left behind: {one}" for one in (*alive, *self.ground.left_in_staging())]

    def run_of(self, part: str, verdict: Verdict, seconds: float) -> Run:
        """Return what goes into the result file."""
        figures = {
            "jobs": verdict.jobs,
            "faults": self.weather.struck.total(),
            "lost": verdict.lost,
            "two_results": verdict.two_results,
            "different": verdict.different,
            "left_behind": len(self.left),
            "attempts_again": verdict.attempts_again,
            "slowest_recovery_s": round(max(self.weather.recovery_s.values(), default=0.0), 1),
        }
        if self._bucket is None:
            figures |= {
                "band_attempts": self.rework.ended,
                "bands_kept": self.rework.kept,
                "bands_reused": self.rework.reused,
                "bands_again": self.rework.again,
                "most_bands_per_kill": self.rework.most_per_kill,
            }
        details = {
            "faults by kind": dict(self.weather.struck),
            "jobs by kind": Counter(job.kind.name for job in self.stream.jobs),
            "faults that found nothing to strike": self.weather.missed,
            "attempts by their end": dict(verdict.outcomes),
            "longest wait for the next finished jobs after a fault, s": self.weather.recovery_s,
        }
        return Run(part, self._seed, figures, seconds, details)


def _shown(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return str(process)


def storm(
    folder: Path,
    *,
    jobs: int,
    faults: int,
    seed: int,
    only: str = "",
    part: str = "chaos",
    in_bucket: bool = False,
    plan: Sequence[str] = (),
) -> tuple[Run, list[str]]:
    """Let a storm rage over a service in ``folder``; ``only`` the faults whose names contain that.

    With ``in_bucket`` the store is a bucket, and its faults are drawn as well. With a ``plan`` of names
    nothing is drawn. Returns what has been
    counted, and a line for each job that is not as it should be.
    """
    since_s = time.monotonic()
    all_faults = (*FAULTS, *STORE_FAULTS) if in_bucket else FAULTS
    with ExitStack() as stack:
        there = stack.enter_context(bucket(folder)) if in_bucket else None
        disk = None if in_bucket else stack.enter_context(small_disk(folder / "disk"))
        one = Storm(folder, disk, there, jobs=jobs, faults=faults, seed=seed)
        among = [fault for fault in all_faults if only in fault.name]
        verdict = one.rage(among, [fault for name in plan for fault in all_faults if fault.name == name])
    return one.run_of(part, verdict, round(time.monotonic() - since_s, 1)), verdict.faulty
