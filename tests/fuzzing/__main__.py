"""Fuzz the targets in turn: ``python -m tests.fuzzing [TARGET…] [--seconds 600] [--record SEED]``."""

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from docs.generate.reliability_results import Run

TARGETS = ("grammar", "planner", "contract")
_COUNTS = {
    "executions": re.compile(r"stat::number_of_executed_units:\s+(\d+)"),
    "found": re.compile(r"stat::new_units_added:\s+(\d+)"),
    "peak_mb": re.compile(r"stat::peak_rss_mb:\s+(\d+)"),
}
_SPEED = re.compile(r"stat::average_exec_per_sec:\s+(\d+)")
_DONE = re.compile(r"Done \d+ runs in \d+ second")


def fuzz(target: str, seconds: int, corpus: Path) -> tuple[int, str]:
    """Fuzz one target in a process of its own; return its exit code and what it said."""
    command = [sys.executable, "-m", "tests.fuzzing.cover", target, str(seconds), str(corpus)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def run_of(target: str, seed: int, said: str) -> Run:
    """Return what a fuzzer has said as a result for the page on reliability."""
    figures = {name: int(found[1]) if (found := one.search(said)) else 0 for name, one in _COUNTS.items()}
    speed = _SPEED.search(said)
    seconds = figures["executions"] // max(1, int(speed[1])) if speed else 0
    # What happens after the last input, such as an end by somebody's time limit, is no input's fault.
    stopped = "ERROR: libFuzzer" in said and _DONE.search(said) is None
    uncaught = int("Uncaught Python exception" in said or stopped)
    return Run(f"fuzzing-{target}", seed, {**figures, "seconds": seconds, "uncaught": uncaught}, seconds)


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument(
        "--record", type=int, metavar="SEED", help="write the results for docs/reliability.md"
    )
    chosen = parser.parse_args()
    if find_spec("atheris") is None:
        sys.stdout.write("no coverage-guided fuzzing: atheris is not installed; pip install -e '.[fuzz]'\n")
        return 0
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for target in chosen.targets:
            code, said = fuzz(target, chosen.seconds, Path(folder, target))
            run = run_of(target, chosen.record or 0, said)
            sys.stdout.write(f"{target}: {dict(run.figures)}\n{'' if code == 0 else said}")
            worst = worst or code
            if chosen.record is not None:
                run.write()
    return worst


if __name__ == "__main__":
    sys.exit(main())
