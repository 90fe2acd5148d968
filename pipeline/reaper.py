"""Ends what a killed service leaves behind: ``python reaper.py MARK``, with a pipe from the service.

The pipe closes when the service ends, however that happens. Whatever then still carries the
service's mark in its environment is killed: most of it has ended by itself, but some of Ray's
processes take a minute to notice. Uses nothing but the standard library, to start in no time.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK = "HALOROW_SERVICE_MARK"
"""The variable in which all processes of one service carry the same text."""

LOOK_S = 0.05


def start(mark: str) -> subprocess.Popen[bytes]:
    """Start a reaper for the processes of ``mark``; it works when this process has ended."""
    argv = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), mark]
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},  # it must not find itself
        start_new_session=True,
    )


def carriers(mark: str) -> list[int]:
    """Return the ids of the processes that carry a mark and may be looked into."""
    entry = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue  # it has ended, or is another user's
            if entry in environment.split(b"\0"):
                found.append(int(folder.name))
    return found


def reap(mark: str) -> None:
    """Kill every process that carries a mark, and those they start meanwhile."""
    while pids := carriers(mark):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it has ended by itself
        time.sleep(LOOK_S)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    reap(sys.argv[1])
