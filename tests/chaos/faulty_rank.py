"""A real rank with a trap: the first block after the trap was set raises, hangs or runs out of memory.

``HALOROW_TRAP`` names a folder with a file ``<what>:<rank>``. Whoever springs it takes the file away
first, so that it befalls one attempt, and leaves ``sprung`` with the time of it.
"""

import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from mpi_stage.__main__ import main
from mpi_stage.rows.halo import HaloSwap

ROOM_BYTES = 256 << 20
PIECE_BYTES = 8 << 20


def raise_error() -> None:
    """Fail as a fault of the program does."""
    raise ZeroDivisionError("nobody foresaw this")


def wait_for_ever() -> None:
    """Hang without using the processor."""
    threading.Event().wait()


def spin_for_ever() -> None:
    """Hang at full speed."""
    while True:
        pass


def stop() -> None:
    """Hang as a stopped process does."""
    os.kill(os.getpid(), signal.SIGSTOP)


def exceed_limit() -> None:
    """Ask for memory until the kernel gives none: a limit of the address space."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM_BYTES, resource.RLIM_INFINITY))
    eat()


def be_killed() -> None:
    """Use memory until the kernel kills this process: the limit of a control group."""
    (Path(os.environ["HALOROW_TRAP_GROUP"]) / "cgroup.procs").write_text(str(os.getpid()))
    eat()


def eat() -> None:
    """Use more and more memory."""
    eaten = []
    while True:
        eaten.append(np.ones(PIECE_BYTES, np.uint8))


TRAPS = {
    "raise": raise_error,
    "wait": wait_for_ever,
    "spin": spin_for_ever,
    "stop": stop,
    "limit": exceed_limit,
    "group": be_killed,
}


def spring(rank: int) -> None:
    """Fall into the trap, if one is set for this rank."""
    folder = Path(os.environ["HALOROW_TRAP"])
    for what, fall in TRAPS.items():
        with suppress(FileNotFoundError):
            (folder / f"{what}:{rank}").unlink()
            (folder / "sprung").write_text(repr(time.monotonic()))
            fall()


if __name__ == "__main__":
    progress = HaloSwap.progress

    def trapped(swap: HaloSwap) -> None:
        """Look for a trap between two blocks."""
        spring(swap._context.comm.rank)
        progress(swap)

    HaloSwap.progress = trapped
    sys.exit(main())
