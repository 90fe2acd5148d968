"""Encoded segments put one behind the other in a file."""

from typing import Protocol

from mpi_stage.formats.tiff.layout import BATCH_BYTES
from mpi_stage.process.files import write_vectors
from mpi_stage.process.timing import PhaseClock

_TRAILER_BYTES = 4

Part = bytes | bytearray


class SegmentAppender(Protocol):
    """Takes encoded segments one behind the other, and keeps their sizes."""

    sizes: list[int]

    def append(self, data: Part) -> None:
        """Take a segment."""

    def flush(self) -> None:
        """Put what was taken where it belongs."""


class Appender:
    """Appends segments to a file, many in one call, and keeps their sizes.

    ``framed`` puts a segment's size before it and repeats its last four bytes behind it, as GDAL's
    Cloud-Optimized GeoTIFFs have it; the sizes that are kept leave that out.
    """

    def __init__(self, fd: int, place: int, clock: PhaseClock, *, framed: bool = False) -> None:
        """Append to ``fd`` from byte ``place`` on."""
        self.sizes: list[int] = []
        self._fd, self._place, self._clock, self._framed = fd, place, clock, framed
        self._pending: list[Part] = []
        self._pending_bytes = 0

    def append(self, data: Part) -> None:
        """Take a segment; raises OSError."""
        self.sizes.append(len(data))
        parts = framed(data) if self._framed else (data,)
        self._pending += parts
        self._pending_bytes += sum(map(len, parts))
        if self._pending_bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was taken; raises OSError."""
        with self._clock.phase("write"):
            write_vectors(self._fd, self._pending, self._place)
        self._place += self._pending_bytes
        self._pending, self._pending_bytes = [], 0


def framed(data: Part) -> tuple[Part, Part, Part]:
    """Return a segment between its size and a copy of its last four bytes, as GDAL's COGs have it."""
    trailer = bytes(data[-_TRAILER_BYTES:]).rjust(_TRAILER_BYTES, b"\x00")
    return len(data).to_bytes(4, "little"), data, trailer
