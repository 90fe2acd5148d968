"""What an image is, apart from its pixels: size, channels and type."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
"""Rows × columns × channels, always three axes, C-contiguous, RGB(A) order."""

DTYPES = ("uint8", "uint16", "float32")
ALPHA_CHANNELS = 4
COLOUR_CHANNELS = 3


@dataclass(frozen=True)
class ImageSpec:
    """Size and type of an image.

    Attributes
    ----------
    rows, columns: size in pixels, both at least 1.
    channels: 1 gray, 3 RGB, 4 RGB and alpha, any other number is bands.
    dtype: one of :data:`DTYPES` (``uint32`` only as the result of ``label``).

    """

    rows: int
    columns: int
    channels: int
    dtype: str

    @property
    def itemsize(self) -> int:
        """Bytes of one value."""
        return int(np.dtype(self.dtype).itemsize)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of pixels."""
        return self.columns * self.channels * self.itemsize

    @property
    def pixels(self) -> int:
        """Rows times columns."""
        return self.rows * self.columns

    @property
    def total_bytes(self) -> int:
        """Bytes of the whole image, decoded."""
        return self.rows * self.row_bytes

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha, which colour and neighbourhood operations leave alone."""
        return self.channels == ALPHA_CHANNELS

    @property
    def value_range(self) -> float:
        """The value of full white: 255, 65535, or 1.0 for floats."""
        return 1.0 if self.dtype == "float32" else float(np.iinfo(self.dtype).max)

    def with_channels(self, channels: int) -> "ImageSpec":
        """Return the same image with another number of channels."""
        return replace(self, channels=channels)

    def empty(self, rows: int) -> Pixels:
        """Return an uninitialised array for ``rows`` rows of this image."""
        return np.empty((rows, self.columns, self.channels), self.dtype)

    def __str__(self) -> str:
        """Columns × rows × channels and type, as a user would say it."""
        return f"{self.columns} × {self.rows} px, {self.channels} × {self.dtype}"
