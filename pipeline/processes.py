"""Child processes that never outlive the process that started them."""

import ctypes
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)  # opened here: nothing may be imported between fork and exec
_POLL_S = 0.01

_Stream = int | IO[Any] | None
_Start = Callable[[], "subprocess.Popen[bytes]"]


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    stdin: _Stream = subprocess.DEVNULL,
    stdout: _Stream = None,
    stderr: _Stream = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> "subprocess.Popen[bytes]":
    """Start ``command`` in its own session; it gets ``death_signal`` when this process ends, however.

    The kernel sends that signal when the *thread* that started a child ends. So children are started
    by the main thread or by one thread kept for it, never by the caller's own.

    Raises OSError where the program cannot be started.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            list(command),
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (the only way to ask the kernel; imports nothing)
        )

    if threading.current_thread() is threading.main_thread():
        return start()
    return _starter().run(start)


class _Starter:
    """A thread that lives as long as the process and starts children for the others."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._wanted: queue.SimpleQueue[tuple[_Start, Future[subprocess.Popen[bytes]]]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="process starter", daemon=True).start()

    def run(self, start: _Start) -> "subprocess.Popen[bytes]":
        """Call ``start`` in the thread and return what it returns, or raise what it raises."""
        future: Future[subprocess.Popen[bytes]] = Future()
        self._wanted.put((start, future))
        return future.result()

    def _serve(self) -> None:
        while True:
            start, future = self._wanted.get()
            try:
                future.set_result(start())
            except Exception as error:  # noqa: BLE001  (handed over to the caller's thread)
                future.set_exception(error)


_lock = threading.Lock()
_the_starter: _Starter | None = None


def _starter() -> _Starter:
    """Return this process's starter; a fork does not inherit its parent's thread."""
    global _the_starter  # noqa: PLW0603  (one thread per process is the point)
    with _lock:
        if _the_starter is None or _the_starter.pid != os.getpid():
            _the_starter = _Starter()
        return _the_starter


def children(pid: int) -> list[int]:
    """Return the direct children of a process, empty if it is gone."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Return the children of a process, their children, and so on."""
    found: list[int] = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to every one of the processes that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def wait_gone(pids: Iterable[int], timeout_s: float) -> list[int]:
    """Wait until the processes are gone; return those that are not after ``timeout_s`` seconds."""
    end = time.monotonic() + timeout_s
    left = [pid for pid in pids if is_running(pid)]
    while left and time.monotonic() < end:
        time.sleep(_POLL_S)
        left = [pid for pid in left if is_running(pid)]
    return left
