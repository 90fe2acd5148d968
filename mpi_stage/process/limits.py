"""What a rank may take of its machine while it meets other people's files, held by the kernel.

Decoders meet whatever people upload. A rank is disposable, so the kernel stops one that takes more than
its plan said: memory by ``RLIMIT_DATA`` (private memory that can be written; what MPI shares between
ranks does not count, which the address space would), time by ``RLIMIT_CPU``, files by ``RLIMIT_FSIZE``.
Only time spent decoding is held against a limit: a rank that waits in MPI for a slow one spins.
"""

import errno
import math
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mpi_stage.errors import ExhaustedError

HEADER_BYTES = 192 << 20
"""Of memory for reading a header, beside what grows with the file."""

HEADER_BYTES_PER_BYTE = 16
"""Of memory, for each byte of a file that may be all tables: numbers, and what checking them takes."""

SPARE_BYTES = 256 << 20
"""Of memory beside what a plan predicts: what is imported later, and holes in what was given back."""

PEAK_SHARE = 1.5
"""Reserved memory for each byte that a plan predicts to be in use."""

THREAD_BYTES = 16 << 20
"""Of memory for each decoding thread: its stack, and its share of the allocator."""

DECODE_S = 5.0
"""Processor seconds for decoding anything, however small; see ``contract.Budget``."""

DECODED_BYTES_S = 1e6
"""What the slowest decoder makes in a second, on a machine that is slower than any we know."""

FILE_SHARE = 2
SPARE_FILE_BYTES = 256 << 20
"""Of a file that is written, beside twice its pixels: no codec enlarges them so much."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_DATA_FIELD = 5  # of statm: data and stack, in pages
_NO_MEMORY = -4  # OpenCV's StsNoMem


class ProcessLimits:
    """The limits of this process; none before :meth:`arm`, so that only ranks have them."""

    def __init__(self) -> None:
        """Limit nothing yet."""
        self._armed = False
        self._decode_s = DECODE_S
        self._memory_bytes = HEADER_BYTES
        self._decoding = False

    def arm(self) -> None:
        """Limit this process from now on, and let it leave no image of its memory when it dies."""
        self._armed = True
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    def begin(self, decode_s: float, memory_bytes: int) -> None:
        """Begin a request of so much memory; decoders get ``decode_s`` seconds beside those of their work."""
        self._decode_s, self._memory_bytes = decode_s, memory_bytes

    @contextmanager
    def parsing(self, stored_bytes: int) -> Iterator[None]:
        """Limit time and memory while the header of a file of so many bytes is read; at most a request's."""
        before = self._data_limit()
        most = max(HEADER_BYTES, self._memory_bytes)
        self._hold(resource.RLIMIT_DATA, self._used_bytes() + min(header_bytes(stored_bytes), most))
        try:
            with self.decoding(stored_bytes):
                yield
        finally:
            self._hold(resource.RLIMIT_DATA, before)

    def work(self, *, peak_bytes: int, program_bytes: int, largest_bytes: int, threads: int) -> None:
        """Limit memory and files to what a plan predicts, until :meth:`lift`.

        ``peak_bytes`` is its peak, ``program_bytes`` the part of it that is there before a job begins,
        ``largest_bytes`` that of its largest file.
        """
        more = math.ceil(PEAK_SHARE * max(0, peak_bytes - program_bytes)) + threads * THREAD_BYTES
        self._hold(resource.RLIMIT_DATA, self._used_bytes() + more + SPARE_BYTES)
        self._hold(resource.RLIMIT_FSIZE, FILE_SHARE * largest_bytes + SPARE_FILE_BYTES)

    def lift(self) -> None:
        """End a request: no limit but on cores."""
        self._hold(resource.RLIMIT_DATA, resource.RLIM_INFINITY)
        self._hold(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)

    @contextmanager
    def decoding(self, made_bytes: int) -> Iterator[None]:
        """Limit the processor time of decoding what is to become ``made_bytes``; within another, do nothing.

        The kernel ends the process by SIGXCPU where that is not enough: no decoder can be asked to stop.
        """
        if not self._armed or self._decoding:
            yield
            return
        self._decoding = True
        allowed_s = time.process_time() + self._decode_s + made_bytes / DECODED_BYTES_S
        self._hold(resource.RLIMIT_CPU, math.ceil(allowed_s))
        try:
            yield
        finally:
            self._hold(resource.RLIMIT_CPU, resource.RLIM_INFINITY)
            self._decoding = False

    def _hold(self, kind: int, limit: int) -> None:
        """Set a limit that may be raised again, at most what the process was started with."""
        if not self._armed:
            return
        most = resource.getrlimit(kind)[1]
        unlimited = resource.RLIM_INFINITY
        if limit == unlimited or (most != unlimited and limit > most):
            limit = most
        resource.setrlimit(kind, (limit, most))

    def _data_limit(self) -> int:
        return resource.getrlimit(resource.RLIMIT_DATA)[0] if self._armed else resource.RLIM_INFINITY

    def _used_bytes(self) -> int:
        """Return the private memory that is reserved now."""
        if not self._armed:
            return 0
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123  (twice a job)
            return int(statm.read().split()[_DATA_FIELD]) * _PAGE_BYTES


def header_bytes(stored_bytes: int) -> int:
    """Return the memory that reading the header of a file may take."""
    return HEADER_BYTES + HEADER_BYTES_PER_BYTE * stored_bytes


def exhaustion(error: BaseException) -> BaseException:
    """Return an error that says so where ``error`` comes of a limit of this process, else ``error``."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError) or getattr(error, "code", None) == _NO_MEMORY or number == errno.ENOMEM:
        what = "memory than its plan allows"
    elif number == errno.EFBIG:
        what = "room for a file than its plan allows"
    else:
        return error
    return ExhaustedError(
        f"the job needs more {what} ({error!r:.200}). The input may be damaged or made to do so; "
        "if it is sound, this is a fault: please report it."
    )


LIMITS = ProcessLimits()
"""Those of this process."""
