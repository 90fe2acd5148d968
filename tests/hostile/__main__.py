"""All bad files: ``python -m tests.hostile [--first 0] [--cases 10000] [--record SEED]``."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from docs.generate.reliability_results import Run

sys.path.insert(0, str(Path(__file__).parent))

from arena import Arena
from corpus import images
from tally import Tally, mutations, remove
from traps import TRAPS


def made_to_harm(arena: Arena, folder: Path, tally: Tally) -> int:
    """Plan every bomb, run every other trap; return how many bombs were not refused from their header."""
    let_in = 0
    for trap in TRAPS:
        path = folder / trap.name
        trap.write(path)
        verdict = (arena.plan if trap.bomb else arena.run)(path, **trap.options)
        let_in += trap.bomb and verdict.kind == "good"
        tally.take(trap.name, verdict)
        remove(path)
    return let_in


def main() -> int:
    """Run the program; fails where a file did what it must not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first damaged copy")
    parser.add_argument("--cases", type=int, default=10_000, help="damaged copies")
    parser.add_argument(
        "--record", type=int, metavar="SLICE", help="write the result for docs/reliability.md"
    )
    chosen = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        arena, tally = Arena(Path(folder)), Tally()
        let_in = made_to_harm(arena, Path(folder), tally)
        for path in (shipped := list(images())):
            tally.take(str(path), arena.run(path))
        work = Path(folder, "mutations")
        work.mkdir()
        mutations(arena, work, chosen.seed, chosen.first, chosen.cases, tally)
        arena.close()
    bombs = sum(trap.bomb for trap in TRAPS)
    figures = {
        "bombs": bombs,
        "bombs_refused": bombs - let_in,
        "bombs_let_in": let_in,
        "traps": len(TRAPS) - bombs,
        "corpus": len(shipped),
        "mutations": chosen.cases,
        "wrong": len(tally.wrong),
        "crashes": tally.crashes,
        "deaths": tally.deaths,
        "slowest_s": round(tally.slowest_s, 2),
        "peak_mb": tally.peak_bytes // 1_000_000,
    }
    sys.stdout.write(
        f"{figures}\n{dict(tally.kinds)}\n" + "".join(f"{one}\n" for one in (*tally.wrong, *tally.slow))
    )
    if chosen.record is not None:
        seconds = time.monotonic() - started
        Run("bad-files", chosen.record, figures, seconds, {"what became of them": dict(tally.kinds)}).write()
    return int(bool(tally.wrong or let_in or tally.crashes))


if __name__ == "__main__":
    sys.exit(main())
