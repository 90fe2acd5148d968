"""Child processes that do not outlive whoever started them."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_POLL_S = 0.001

# Runs in the child, in place of the code that could run between fork and exec: a fork with Python
# code in it may hang where other threads hold locks. PR_SET_PDEATHSIG survives the exec. The parent
# may have died before it was set: then nobody is left to ask for an end.
_LAUNCHER = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0 or os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    guards_itself: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program that the kernel kills when this process ends, however that happens.

    It runs in a session of its own, so that Ctrl-C at the terminal reaches it only through us. A
    program that does not exist ends at once with exit code 1. May be called from any thread: the
    kernel watches the *thread* that starts a child, so children are started by the main thread or
    by one that is kept for it. A program that ``guards_itself`` asks the kernel for that, and ends
    where we are gone before it has; it starts without the detour that asks for it.
    """
    launch = [] if guards_itself else [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*launch, *map(str, argv)],
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    return start() if threading.current_thread() is threading.main_thread() else _starter().run(start)


def end(process: subprocess.Popen[bytes], *, grace_s: float = 5.0) -> int:
    """End a program and all of its group: SIGTERM, then SIGKILL after ``grace_s`` seconds.

    Returns the exit code. A program that has ended already is no error.
    """
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGKILL)
    return process.wait()


def descendants(pid: int) -> list[int]:
    """Return the children of a process, their children, and so on, whatever their sessions."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (stat := _stat(int(folder.name))):
            children.setdefault(int(stat[1]), []).append(int(folder.name))
    found = [pid]
    for parent in found:  # grows while it is walked
        found += children.get(parent, [])
    return found[1:]


def is_running(pid: int) -> bool:
    """Whether a process is there and not just waiting for its parent to take note of its end."""
    stat = _stat(pid)
    return bool(stat) and stat[0] not in {"Z", "X"}


def is_stopped(pid: int) -> bool:
    """Whether a process has been stopped (SIGSTOP) and not been told to go on."""
    return _stat(pid)[:1] == ["T"]


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to every one of the processes that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_gone(pids: Iterable[int], timeout_s: float) -> list[int]:
    """Wait until the processes are gone; return those that are not after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    left = [pid for pid in pids if is_running(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        left = [pid for pid in left if is_running(pid)]
    return left


class _Starter:
    """A thread that lives as long as the process and starts children for other threads."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._wanted: queue.SimpleQueue[tuple[_Start, _Answer]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="process-starter", daemon=True).start()

    def run(self, start: "_Start") -> subprocess.Popen[bytes]:
        """Call ``start`` in the thread; return what it returns or raise what it raises."""
        answer: _Answer = queue.SimpleQueue()
        self._wanted.put((start, answer))
        started = answer.get()
        if isinstance(started, Exception):
            raise started
        return started

    def _serve(self) -> None:
        while True:
            start, answer = self._wanted.get()
            try:
                answer.put(start())
            except Exception as error:  # noqa: BLE001  (it is raised in the caller's thread)
                answer.put(error)


_Start = Callable[[], subprocess.Popen[bytes]]
_Answer = queue.SimpleQueue[subprocess.Popen[bytes] | Exception]
_lock = threading.Lock()
_known_starter: _Starter | None = None


def _starter() -> _Starter:
    """Return this process's starter; a forked child does not have its parent's threads."""
    global _known_starter  # noqa: PLW0603  (one thread per process)
    with _lock:
        if _known_starter is None or _known_starter.pid != os.getpid():
            _known_starter = _Starter()
        return _known_starter


def _stat(pid: int) -> list[str]:
    """Return state, parent and so on of a process from ``/proc``; empty if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        # It has ended by itself in between.
        return
