"""What a chain needs of a device: memory, copies that overlap with work, and launches."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.sources import Code
from gpu_kernels.step import Pixels

Event = Any
"""A point in a stream that another stream, or the program, can wait for."""

Argument = int | np.generic
"""Of a launch: an address or 64-bit number as an int, the others as numpy scalars of their exact type."""

UP, WORK, DOWN = "up", "work", "down"
"""The streams: copies to the device, kernels, copies back."""


class Backend(Protocol):
    """A device; memory is given back as a whole by ``close``."""

    def allocate(self, size_bytes: int) -> int:
        """Return the address of new memory of the device, aligned to 256 bytes."""

    def constant(self, values: NDArray[Any]) -> int:
        """Return the address of a copy of a small table."""

    def pinned(self, size_bytes: int) -> NDArray[np.uint8]:
        """Return host memory that the device can copy from and to while the program goes on."""

    def copy_up(self, address: int, pitch: int, rows: Pixels) -> None:
        """Copy contiguous host rows to rows of ``pitch`` bytes, in stream :data:`UP`."""

    def copy_down(self, rows: Pixels, address: int, pitch: int) -> None:
        """Copy rows of ``pitch`` bytes to contiguous host rows, in stream :data:`DOWN`."""

    def copy(self, target: int, source: int, pitches: tuple[int, int], row_bytes: int, rows: int) -> None:
        """Copy rows on the device, in stream :data:`WORK`; ``pitches`` are those of target and source."""

    def launch(
        self,
        code: Code,
        kernel: str,
        grid: tuple[int, int],
        block: int,
        arguments: Sequence[Argument],
    ) -> None:
        """Launch a kernel in stream :data:`WORK`, with blocks of ``block`` threads side by side."""

    def mark(self, stream: str) -> Event:
        """Return the point that a stream has been given work up to."""

    def after(self, stream: str, event: Event) -> None:
        """Let what a stream is given from now on wait for an event."""

    def wait(self, event: Event) -> None:
        """Wait for an event."""

    def close(self) -> None:
        """Wait for all that is under way and give the memory back."""
