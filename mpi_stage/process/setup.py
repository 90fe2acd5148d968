"""What the stage sets up for its own process: memory, signals, measuring."""

import ctypes
import gc
import os
import signal
import time
from contextlib import suppress
from functools import cache

PR_SET_PDEATHSIG = 1
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
MMAP_FROM_BYTES = 32 << 20
"""The highest threshold that glibc takes on 64-bit machines."""
TRIM_FROM_BYTES = 1 << 30
SAMPLE_EVERY_S = 0.02
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, so that no rank is ever orphaned."""
    c_library().prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def keep_freed_memory() -> None:
    """Have the C library reuse freed blocks instead of returning them.

    A fresh page costs more than filtering what is in it; kernels allocate the same sizes for every
    block, so after the first block none is fresh. Does nothing where the C library has no mallopt.
    """
    with suppress(AttributeError):
        c_library().mallopt(M_MMAP_THRESHOLD, MMAP_FROM_BYTES)
        c_library().mallopt(M_TRIM_THRESHOLD, TRIM_FROM_BYTES)


def open_library(path: str) -> None:
    """Load a shared library without holding Python's lock; nothing happens where that cannot be.

    Whoever needs the library loads it again, at once if it is there, and tells of what is wrong.
    """
    c_library().dlopen(path.encode(), os.RTLD_NOW | os.RTLD_GLOBAL)


def give_back_freed_memory() -> None:
    """Return freed blocks to the system after all, those of objects that only refer to one another too."""
    gc.collect()
    with suppress(AttributeError):
        c_library().malloc_trim(0)


@cache
def c_library() -> ctypes.CDLL:
    """Return the functions of the C library that this process has loaded."""
    return ctypes.CDLL(None)


def anonymous_bytes() -> int:
    """Return the anonymous memory of this process now (RssAnon), 0 where the system does not tell."""
    with suppress(OSError):
        # Pages: the whole, what is resident, and of that what is files or shared. One line, where
        # ``status`` has sixty; it is asked several times a job.
        _, resident, shared, *_ = os.pread(_statm(), 200, 0).split()
        return (int(resident) - int(shared)) * _PAGE_BYTES
    return 0


@cache
def _statm() -> int:
    return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)


def file_bytes() -> tuple[int, int]:
    """Return the bytes that this process has read from and written to files; 0 where nobody counts."""
    with suppress(OSError):
        # ``rchar: n``, ``wchar: n``, then what is not needed; asked twice a job.
        _, read, _, written, *_ = os.pread(_io(), 200, 0).split()
        return int(read), int(written)
    return 0, 0


@cache
def _io() -> int:
    return os.open("/proc/self/io", os.O_RDONLY | os.O_CLOEXEC)


class PeakMemory:
    """The highest anonymous memory seen; the kernel keeps no such record, so it is sampled."""

    def __init__(self) -> None:
        """Take the first sample."""
        self.peak_bytes = anonymous_bytes()
        self._sampled_at = time.monotonic()

    def sample(self, *, always: bool = False) -> None:
        """Look again, unless the last look was just before."""
        at = time.monotonic()
        if always or at - self._sampled_at >= SAMPLE_EVERY_S:
            self._sampled_at = at
            self.peak_bytes = max(self.peak_bytes, anonymous_bytes())
