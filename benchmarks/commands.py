"""Starts ``halorow run`` and the peers as whole processes and reads their clocks."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

OPTIONS = ("--no-digest", "--quiet", "--json")
HALOROW = Path(sys.executable).with_name("halorow")
TIMEOUT_S = 300.0


def timed(command: list[str]) -> tuple[float, str]:
    """Run a command; return its seconds from start to exit, and its output.

    Raises RuntimeError where it fails, subprocess.TimeoutExpired where it hangs; then it has been killed.
    """
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def halorow_run(source: Path, target: Path, steps: list[str], ranks: int) -> dict[str, float]:
    """Filter a file with ``halorow run``; ``inside`` is what the stage measured, ``whole`` the process.

    ``compute`` to ``wait`` are the stage's phases, each of the rank that spent most in it.
    """
    arguments = ["run", str(source), str(target), *steps, "--ranks", str(ranks), *OPTIONS]
    whole, output = _to_new_file([str(HALOROW), *arguments], target)
    report: dict[str, Any] = json.loads(output)
    spent = [rank["seconds"] for rank in report["ranks"]]
    phases = {name: max(float(rank[name]) for rank in spent) for name in spent[0]}
    return {"inside": float(report["seconds"]), "whole": whole, **phases}


def peer_run(program: str, operation: str, source: Path, target: Path, *more: str) -> dict[str, float]:
    """Filter a file with a peer's program on all cores; ``inside`` begins after its imports."""
    command = [sys.executable, "-m", f"benchmarks.{program}", operation, str(source), str(target), *more]
    whole, output = _to_new_file(command, target)
    return {"inside": float(output), "whole": whole}


def _to_new_file(command: list[str], target: Path) -> tuple[float, str]:
    """Run a command that makes ``target``, which is not there before and not kept after.

    So every side pays for the first touch of the output's pages inside its clock, and none for
    giving them back; and what nobody reads is gone before the system begins to write it to the disk.
    """
    target.unlink(missing_ok=True)
    try:
        return timed(command)
    finally:
        target.unlink(missing_ok=True)
