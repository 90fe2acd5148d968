"""Starts ``halorow run`` and the libvips side as whole processes and reads their clocks."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

OPTIONS = ("--no-digest", "--quiet", "--json")
HALOROW = Path(sys.executable).with_name("halorow")


def timed(command: list[str]) -> tuple[float, str]:
    """Run a command; return its seconds from start to exit, and its output."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def halorow_run(source: Path, target: Path, steps: list[str], ranks: int) -> dict[str, float]:
    """Filter a file with ``halorow run``; ``inside`` is what the stage measured, ``whole`` the process."""
    target.unlink(missing_ok=True)
    arguments = ["run", str(source), str(target), *steps, "--ranks", str(ranks), *OPTIONS]
    whole, output = timed([str(HALOROW), *arguments])
    report: dict[str, Any] = json.loads(output)
    return {"inside": float(report["seconds"]), "whole": whole}


def vips_run(operation: str, source: Path, target: Path) -> dict[str, float]:
    """Filter a file with libvips on all cores; ``inside`` begins after its imports."""
    target.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.vips_side", operation, str(source), str(target)]
    whole, output = timed(command)
    return {"inside": float(output), "whole": whole}
