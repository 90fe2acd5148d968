"""How rows lie in the memory of a device: pure arithmetic."""

from dataclasses import dataclass

import numpy as np

LINE_BYTES = 128
"""Rows begin at multiples of this, so that loads are whole lines."""

SLACK_BYTES = 64
"""Beyond the end of a row, which threads may read and write: they take whole strips."""


def aligned(size_bytes: int) -> int:
    """Round up to whole lines."""
    return -(-size_bytes // LINE_BYTES) * LINE_BYTES


@dataclass(frozen=True)
class Rows:
    """Rows of an image without halo."""

    columns: int
    channels: int
    dtype: str

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of the image."""
        return self.columns * self.channels * int(np.dtype(self.dtype).itemsize)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return self.channels * int(np.dtype(self.dtype).itemsize)

    @property
    def pitch(self) -> int:
        """Bytes from one row to the next on the device."""
        return aligned(self.row_bytes + SLACK_BYTES + 16 * self.pixel_bytes)


@dataclass(frozen=True)
class Room:
    """Rows with halo columns on both sides."""

    rows: Rows
    halo: int
    height: int

    @property
    def left_bytes(self) -> int:
        """Bytes before the first pixel of the image in each row."""
        return aligned(self.halo * self.rows.pixel_bytes)

    @property
    def used_bytes(self) -> int:
        """Bytes of a row from its start to the end of its right halo."""
        return self.left_bytes + self.rows.row_bytes + self.halo * self.rows.pixel_bytes

    @property
    def pitch(self) -> int:
        """Bytes from one row to the next."""
        return aligned(self.used_bytes + SLACK_BYTES + 16 * self.rows.pixel_bytes)

    @property
    def size_bytes(self) -> int:
        """Bytes of all rows."""
        return self.height * self.pitch

    def start(self, address: int, row: int) -> int:
        """Return the address at which a row starts, its left halo included."""
        return address + row * self.pitch

    def row(self, address: int, row: int) -> int:
        """Return the address of the first pixel of the image in a row."""
        return self.start(address, row) + self.left_bytes

    def left(self, address: int, row: int) -> int:
        """Return the address of the first halo pixel of a row."""
        return self.row(address, row) - self.halo * self.rows.pixel_bytes
