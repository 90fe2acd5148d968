"""A rank of a world raises, hangs, or runs out of memory: the world is soon gone, and the job goes on."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from docs.generate.reliability_results import Run
from mpi_stage.errors import StageError
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.models import Failure, Lane, Result
from pipeline.worlds.processes import wait_gone
from pipeline.worlds.warm import WarmWorld
from pipeline.worlds.world import World
from tests.chaos.bench import Bench, bench
from tests.chaos.quiet import expected_of
from tests.chaos.stale import until
from tests.chaos.workload import Kind, make_kinds
from tests.embedded_service import lives

PROGRAM = (str(Path(__file__).with_name("faulty_rank.py")),)
STALL_S = 3.0
"""A world without progress for so long counts as hung; 300 s where nobody is in a hurry."""

GROUP_BYTES = 192 << 20
GROUPS = Path("/sys/fs/cgroup/memory")
GROUP_LIMIT = "memory.limit_in_bytes"

SORTS = {"raises": ("raise",), "hangs": ("wait", "spin", "stop"), "out_of_memory": ("limit", "group")}
"""What befalls a rank, and the traps for it."""


@dataclass
class Tally:
    """What has become of the worlds, and of the jobs in them."""

    counts: Counter[str] = field(default_factory=Counter)
    gone_s: dict[str, float] = field(default_factory=dict)
    left: int = 0
    untyped: int = 0
    different: int = 0
    traps: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)


class WatchedWorld(WarmWorld):
    """A warm world that tells how soon after a trap all of its processes were gone."""

    def __init__(self, ranks: int, env: dict[str, str], sprung: Path) -> None:
        """Start nothing yet."""
        super().__init__(ranks, lambda: World(ranks, env=env, program=PROGRAM))
        self._sprung = sprung
        self.gone_s: float | None = None
        self.left = 0

    def run(self, request, **options):
        """Run a request; note how a world that fails has ended."""
        world = self._alive()
        try:
            return world.run(request, **options)
        except StageError:
            at_s = time.monotonic()
            self.left += len(wait_gone(world.processes(), 0))
            with suppress(FileNotFoundError):
                self.gone_s = at_s - float(self._sprung.read_text())
                self._sprung.unlink()
            raise


@contextmanager
def memory_group() -> Iterator[Path | None]:
    """Make a control group with little memory; None where that cannot be done."""
    folder = GROUPS / f"halorow-chaos-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / GROUP_LIMIT).write_text(str(GROUP_BYTES))
    except OSError:
        yield None
        return
    try:
        yield folder
    finally:
        until(lambda: not (folder / "cgroup.procs").read_text(), "the end of a control group's processes")
        folder.rmdir()


class Harness:
    """Sets traps, one after another, and sees what becomes of the jobs that fall into them."""

    def __init__(self, place: Bench, kind: Kind, folder: Path, group: Path | None, random: Random) -> None:
        """Find out what a quiet run gives."""
        self._place, self._kind, self._folder, self._random = place, kind, folder, random
        self._expected = expected_of([kind], folder / "quiet")[kind.name].pixels_sha256
        self._traps = folder / "traps"
        self._traps.mkdir()
        self._env = {**place.env, "HALOROW_TRAP": str(self._traps), "HALOROW_TRAP_GROUP": str(group)}
        self._without = () if group is not None else ("group",)
        self.tally = Tally()

    def run(self, ranks: int, times: int) -> None:
        """Set ``times`` traps of each sort for worlds of so many ranks."""
        world = WatchedWorld(ranks, self._env, self._traps / "sprung")
        runner = JobRunner(
            self._place.parts,
            world,
            Workplace(self._place.parts.store, self._folder / f"scratch-{ranks}"),
            lane=Lane.GANG,
            consumer=f"runner-{ranks}",
            stall_s=STALL_S,
        )
        try:
            for sort, traps in SORTS.items():
                for _ in range(times):
                    trap = self._random.choice([one for one in traps if one not in self._without])
                    (self._traps / f"{trap}:{self._random.randrange(ranks)}").touch()
                    self.tally.counts[sort] += 1
                    self.tally.traps[trap] += 1
                    self._one(runner, ranks)
                    self._note(world, sort)
        finally:
            world.close()
        self.tally.left += sum(map(lives, ranks_with(self._traps)))

    def _one(self, runner: JobRunner, ranks: int) -> None:
        """Submit a job, work on it until it has ended, and judge how."""
        records, tally = self._place.parts.records, self.tally
        job_id = self._place.client.submit(self._kind.image, self._kind.steps, ranks=ranks).id
        until(lambda: runner.work_once(block_s=0.5) and records.ending(job_id) is not None, "an end")
        ending = records.ending(job_id)
        if isinstance(ending, Result):
            tally.ends[f"succeeded at attempt {ending.attempt}"] += 1
            tally.different += ending.pixels_sha256 != self._expected
        elif isinstance(ending, Failure):
            tally.ends[f"failed: {ending.kind}, {ending.message.partition('(')[0]}"] += 1
            tally.untyped += not ending.kind

    def _note(self, world: WatchedWorld, sort: str) -> None:
        """Take note of how soon the world was gone; a trap into which nobody fell is a fault of ours."""
        gone_s, world.gone_s = world.gone_s, None
        if gone_s is None:
            raise ValueError(f"a trap was not sprung: {list(self._traps.iterdir())}")
        self.tally.gone_s[sort] = max(self.tally.gone_s.get(sort, 0.0), gone_s)
        self.tally.left += world.left
        world.left = 0


def rank_faults(folder: Path, *, times: int, seed: int) -> tuple[Run, Tally]:
    """Set ``times`` traps of each sort, drawn from ``seed``: half for worlds of two ranks, half of three."""
    since_s = time.monotonic()
    kind = next(kind for kind in make_kinds(folder / "pictures") if kind.ranks)
    with bench(folder) as place, memory_group() as group:
        harness = Harness(place, kind, folder, group, Random(seed))
        for ranks in (2, 3):
            harness.run(ranks, (times + ranks - 2) // 2)
    tally = harness.tally
    figures = {
        **{sort: tally.counts[sort] for sort in SORTS},
        **{f"{sort}_gone_s": round(tally.gone_s.get(sort, 0.0), 2) for sort in SORTS},
        "left": tally.left,
        "untyped": tally.untyped,
        "different": tally.different,
    }
    details = {"traps": tally.traps, "how the jobs ended": tally.ends}
    return Run("ranks", seed, figures, round(time.monotonic() - since_s, 1), details), tally


def ranks_with(traps: Path) -> list[psutil.Process]:
    """Return the processes on this machine for which traps are set in a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("HALOROW_TRAP") == str(traps):
                found.append(process)
    return found
