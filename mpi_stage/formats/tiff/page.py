"""An image of a TIFF file, as far as reading its pixels needs it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_stage.errors import DamagedInputError

Table = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TiffPage:
    """Where the pixels lie and how they are coded.

    ``columns`` and ``samples`` describe the stored values; they differ from the image's where
    ``conversion`` is not ``none``: a palette index becomes three channels (``palette``), a packed
    byte eight pixels (``bits``), and white-is-zero is turned round (``invert``, ``inverted bits``).
    ``planes`` is 1 where channels are interleaved, else their number. ``colour`` is how JPEG
    segments code colour: ``gray``, ``rgb`` or ``ycbcr``.
    """

    path: str
    rows: int
    columns: int
    samples: int
    dtype: np.dtype[Any]
    planes: int
    tiled: bool
    segment_rows: int
    segment_columns: int
    compression: str
    predictor: int
    reversed_bits: bool
    colour: str
    conversion: str
    offsets: Table
    counts: Table
    jpeg_tables: bytes | None = None
    palette: NDArray[np.uint8] | None = None

    @property
    def across(self) -> int:
        """Segments beside one another."""
        return math.ceil(self.columns / self.segment_columns)

    @property
    def down(self) -> int:
        """Rows of segments."""
        return math.ceil(self.rows / self.segment_rows)

    @property
    def segment_samples(self) -> int:
        """Values of one pixel in one segment."""
        return 1 if self.planes > 1 else self.samples

    @property
    def segment_row_bytes(self) -> int:
        """Bytes of one row of a segment."""
        return self.segment_columns * self.segment_samples * self.dtype.itemsize

    @property
    def row_bytes(self) -> int:
        """Bytes of one stored row of all channels."""
        return self.columns * self.samples * self.dtype.itemsize

    @property
    def plain(self) -> bool:
        """Whether stored bytes are values as they stand, byte order aside."""
        return self.compression == "none" and not self.reversed_bits

    def index(self, plane: int, down: int, across: int) -> int:
        """Return the number of a segment in the tables."""
        return (plane * self.down + down) * self.across + across

    def rows_in(self, down: int) -> int:
        """Return how many rows the segments of a row of segments store; the last strip is shorter."""
        if self.tiled:
            return self.segment_rows
        return min(self.segment_rows, self.rows - down * self.segment_rows)

    def name(self, index: int) -> str:
        """Return a segment's name for messages."""
        return f"{'tile' if self.tiled else 'strip'} {index}"


def cut_short(page: TiffPage, index: int, expected: int, found: int) -> DamagedInputError:
    """Return the error for a segment that the file ends in."""
    return DamagedInputError(
        f"{page.path} is cut short in {page.name(index)}: {expected} bytes expected there, {found} found."
    )
