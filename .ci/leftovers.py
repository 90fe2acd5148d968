"""Name the processes that the checks started and left behind.

``leftovers.py before`` notes which processes run; ``leftovers.py after`` compares, waits a moment
for those that are ending, and exits with 1 if any of ours remain. Ours is what carries the mark
of this run in its environment, or is new and one of the programs that the service starts (some of
which overwrite their environment to show a title).
"""

import json
import os
import sys
import time
from pathlib import Path

import psutil

MARK = os.environ["CI_RUN_MARK"]
NOTES = Path(os.environ.get("TMPDIR", "/tmp")) / f"{MARK}.json"  # noqa: S108  (the name is unique to the run)
PROGRAMS = (
    "mpiexec",
    "hydra_pmi_proxy",
    "raylet",
    "gcs_server",
    "redis-server",
    "chromium",
    "ray::",
    "halorow",
)
GRACE_S = 10.0


def identities() -> set[tuple[int, float]]:
    """Return pid and start time of every process there is."""
    return {(process.pid, process.create_time()) for process in psutil.process_iter(["pid", "create_time"])}


def is_ours(process: psutil.Process) -> bool:
    """Whether a new process comes from the checks."""
    title = " ".join(process.cmdline()) or process.name()
    if any(program in title.split(" ")[0] or title.startswith(program) for program in PROGRAMS):
        return True
    return process.environ().get("CI_RUN_MARK") == MARK


def remaining(known: set[tuple[int, float]]) -> list[psutil.Process]:
    """Return our processes that are not in ``known`` and not the run itself."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            new = (process.pid, process.create_time()) not in known and process.pid not in own
            if new and process.status() != psutil.STATUS_ZOMBIE and is_ours(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def report(processes: list[psutil.Process]) -> None:
    """Print what is left, one line each."""
    print(f"{len(processes)} processes were left behind:")
    for process in processes:
        try:
            title = " ".join(process.cmdline())[:160] or process.name()
            print(f"  {process.pid} (parent {process.ppid()}, {process.status()}): {title}")
        except psutil.NoSuchProcess:
            print(f"  {process.pid}: has just ended")


def main() -> int:
    """Note or compare; return the exit code."""
    if sys.argv[1] == "before":
        NOTES.write_text(json.dumps(sorted(identities())))
        return 0
    known = {(int(pid), float(start)) for pid, start in json.loads(NOTES.read_text())}
    NOTES.unlink()
    end = time.monotonic() + GRACE_S
    left = remaining(known)
    while left and time.monotonic() < end:
        time.sleep(0.2)
        left = remaining(known)
    if left:
        report(left)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
