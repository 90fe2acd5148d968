"""Buffers for blocks on their way up or down: host memory and device memory in turn."""

from gpu_kernels.backend import Backend, Event
from gpu_kernels.layout import Rows
from gpu_kernels.step import Pixels

SLOTS = 3
"""Blocks under way at once, each way: one copied, one worked on, one being filled or emptied."""


class Slots:
    """A few buffers, of which one is current; a buffer comes round again when its last use is over."""

    def __init__(self, backend: Backend, rows: Rows, most_rows: int) -> None:
        """Make room for blocks of up to ``most_rows`` rows."""
        self._backend = backend
        self._rows = rows
        self.pitch = rows.pitch
        size = most_rows * rows.pitch
        self._hosts = [backend.pinned(most_rows * rows.row_bytes) for _ in range(SLOTS)]
        self._devices = [backend.allocate(size) for _ in range(SLOTS)]
        self._used: list[Event | None] = [None] * SLOTS
        self._current = 0

    @property
    def device(self) -> int:
        """The current buffer's address on the device."""
        return self._devices[self._current]

    def host(self, rows: int) -> Pixels:
        """Return the current buffer's first rows on the host, once their last use is over."""
        used = self._used[self._current]
        if used is not None:
            self._backend.wait(used)
            self._used[self._current] = None
        shape = (rows, self._rows.columns, self._rows.channels)
        return self._hosts[self._current][: rows * self._rows.row_bytes].view(self._rows.dtype).reshape(shape)

    def turn(self, used: Event) -> None:
        """Go on to the next buffer; this one is in use until an event."""
        self._used[self._current] = used
        self._current = (self._current + 1) % SLOTS
