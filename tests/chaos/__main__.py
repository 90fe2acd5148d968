"""Chaos by hand: ``python -m tests.chaos storm --jobs 250 --faults 50 --seed 1``; see ``--help``."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from docs.generate.reliability import write
from docs.generate.reliability_parts import PARTS
from docs.generate.reliability_results import FOLDER, Run
from pipeline import logs
from tests.chaos.letters import letters
from tests.chaos.load import load
from tests.chaos.ranks import rank_faults
from tests.chaos.soak import soak
from tests.chaos.stale import stale
from tests.chaos.storm import storm

Given = argparse.Namespace


def run_storm(folder: Path, given: Given) -> Run:
    """Every kind of fault upon every part of the service."""
    run, faulty = storm(
        folder,
        jobs=given.jobs,
        faults=given.faults,
        seed=given.seed,
        only=given.only,
        in_bucket=given.bucket,
        part="chaos-bucket" if given.bucket else "chaos",
    )
    print(*faulty, sep="\n")
    return run


def run_forgetting(folder: Path, given: Given) -> Run:
    """Redis alone, which is emptied and set back."""
    run, faulty = storm(
        folder, jobs=given.jobs, faults=given.faults, seed=given.seed, only="Redis", part="forgetting"
    )
    print(*faulty, sep="\n")
    return run


def run_stale(folder: Path, given: Given) -> Run:
    """Holders that are stopped past their lease."""
    return stale(folder, times=given.times, seed=given.seed)[0]


def run_ranks(folder: Path, given: Given) -> Run:
    """Ranks that raise, hang and run out of memory."""
    return rank_faults(folder, times=given.times, seed=given.seed)[0]


def run_load(folder: Path, given: Given) -> Run:
    """Submissions all at once."""
    run, refused = load(folder, number=given.jobs, plots=folder if given.only else FOLDER)
    print(*refused[:10], sep="\n")
    return run


def run_letters(folder: Path, given: Given) -> Run:
    """A notifier that is killed while it tells people."""
    return letters(folder, kills=given.times, jobs=2 * given.times, seed=given.seed)[0]


def run_soak(folder: Path, given: Given) -> Run:
    """Steady work for long."""
    return soak(
        folder,
        seconds=60 * given.minutes,
        per_s=given.per_s,
        plots=folder if given.only else FOLDER,
    )


WAYS: dict[str, Callable[[Path, Given], Run]] = {
    "storm": run_storm,
    "forgetting": run_forgetting,
    "stale": run_stale,
    "ranks": run_ranks,
    "load": run_load,
    "letters": run_letters,
    "soak": run_soak,
}


def main() -> int:
    """Run one part of the harness, write down what it has shown, and make the page anew."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("part", choices=WAYS)
    parser.add_argument("--jobs", type=int, default=250, help="of a storm or a load")
    parser.add_argument("--faults", type=int, default=50, help="of a storm")
    parser.add_argument("--bucket", action="store_true", help="of a storm: the store is a bucket that fails")
    parser.add_argument("--times", type=int, default=100, help="stale holders, or ranks of each sort")
    parser.add_argument("--minutes", type=float, default=20.0, help="of a soak")
    parser.add_argument("--per-s", type=float, default=3.0, help="jobs of a soak in a second")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same faults")
    parser.add_argument("--only", default="", help="only faults whose names contain this; nothing is written")
    given = parser.parse_args()
    logs.configure("error")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # everything that was started and mounted is ended
    with tempfile.TemporaryDirectory(prefix="halorow-chaos-") as folder:
        run = WAYS[given.part](Path(folder), given)
    print(dict(run.figures), *run.details.items(), sep="\n")
    if given.only:
        return 0
    print(run.write())
    write()
    part = next(one for one in PARTS if one.name == run.part)
    return 0 if all(one.holds_in_slice(run.figures[one.name]) for one in part.figures) else 1


if __name__ == "__main__":
    sys.exit(main())
