"""What a rank's process has in memory apart from any job, and what earlier jobs have made of its heap."""

import ctypes
import sys
from contextlib import suppress
from typing import cast

from mpi_stage.process.setup import anonymous_bytes, c_library, give_back_freed_memory

SCATTERED_BYTES = 1 << 20
"""Left by earlier jobs in pieces between others, of which the next one may be unable to use any."""

TOUCHED_FRACTION = 0.25
"""Of the heap's holes, where they are many: what a job touches of them beside what it has in use."""

MOST_TOUCHED_BYTES = 4 << 20
"""A job's buffers are a few, which it allocates again and again: they do not come by all holes."""


class _Heap(ctypes.Structure):
    """The C library's ``struct mallinfo2``."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )

    @property
    def end_bytes(self) -> int:
        """Free memory that serves requests of any size: what lies together at the heap's end."""
        return int(self.keepcost)

    @property
    def hole_bytes(self) -> int:
        """Free memory between pieces in use, whose pages may have gone back to the system."""
        return int(self.fordblks) - self.end_bytes


def _heap() -> _Heap:
    """Return how the heap is used; all zeros where the C library does not tell."""
    with suppress(AttributeError):
        mallinfo2 = c_library().mallinfo2
        mallinfo2.restype = _Heap
        return cast("_Heap", mallinfo2())
    return _Heap()


class ProgramMemory:
    """The anonymous memory of this process apart from any job: the program and what it has imported."""

    def __init__(self) -> None:
        """Measure it when it is first asked for."""
        self._modules = 0
        self._bytes = 0
        self._hole_bytes = 0

    def measure(self) -> int:
        """Return the bytes; measured anew where a job has imported something since, without its leftovers."""
        if len(sys.modules) != self._modules:
            self.give_back()
        return self._bytes

    def planned_bytes(self) -> int:
        """Return the bytes to plan with: these, and what the holes between them will cost.

        Small pieces that stay keep large holes apart. A job's buffers, freed and allocated in turn, come to
        lie in one and then in another, and each page that was touched counts.
        """
        program = self.measure()
        return program + min(MOST_TOUCHED_BYTES, int(TOUCHED_FRACTION * self._hole_bytes))

    def settle(self) -> None:
        """Measure anew where earlier jobs have left more than the next can use again; none may be open.

        What of it cannot be given back belongs to the program, and has to be planned with.
        """
        if anonymous_bytes() - self.measure() - _heap().end_bytes > SCATTERED_BYTES:
            self.give_back()

    def give_back(self) -> None:
        """Return freed memory to the system, and measure what is left."""
        give_back_freed_memory()
        self._modules = len(sys.modules)
        self._bytes = anonymous_bytes()
        self._hole_bytes = _heap().hole_bytes


PROGRAM = ProgramMemory()
"""That of this process."""
