"""Ends what a killed service leaves behind: ``python reaper.py PID``, with a pipe from that process.

While the pipe is open it notes, every other second, which processes there are below the service's;
the pipe closes when the service ends, however that happens. Those that still run then are killed:
most have ended by themselves, but some of Ray's take a minute to notice. Uses nothing but the
standard library, to start in no time.
"""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

LOOK_S = 2.0
_PARENT, _STARTED = 1, 19
"""Places of the parent's id and of the start in ``/proc/<pid>/stat``, counted after the name."""

Process = tuple[int, str]
"""An id and when it started: an id alone may be used again."""


def start() -> subprocess.Popen[bytes]:
    """Start a reaper for the processes below this one; it works when this one has ended."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def below(root: int) -> set[Process]:
    """Return the processes below ``root``, this one and those below it left out."""
    children: dict[int, list[Process]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            facts = _facts(int(folder.name))
            if facts is not None:
                children.setdefault(int(facts[_PARENT]), []).append((int(folder.name), facts[_STARTED]))
    found: set[Process] = set()
    waiting = [root]
    while waiting:
        here = [one for one in children.get(waiting.pop(), []) if one[0] != os.getpid()]
        found.update(here)
        waiting += [pid for pid, _ in here]
    return found


def kill(processes: set[Process]) -> None:
    """Kill those of some processes that still run, and what has come below them."""
    for pid, started in sorted(processes):
        facts = _facts(pid)
        if facts is not None and facts[_STARTED] == started:
            kill(below(pid) - processes)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it has just ended by itself


def _facts(pid: int) -> list[str] | None:
    """Return the fields of ``/proc/<pid>/stat`` after the name, None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def main(root: int) -> None:
    """Watch until the pipe closes, then kill."""
    seen: set[Process] = set()
    while True:
        seen |= below(root)
        if select.select([sys.stdin], [], [], LOOK_S)[0]:
            break
        seen = {one for one in seen if _runs(one)}
    kill(seen)


def _runs(process: Process) -> bool:
    facts = _facts(process[0])
    return facts is not None and facts[_STARTED] == process[1]


if __name__ == "__main__":
    main(int(sys.argv[1]))
