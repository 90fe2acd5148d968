"""Rows of uncompressed bands, read where an attempt has put them and known again by their digests."""

from collections.abc import Iterator

import numpy as np

from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.image import Pixels
from mpi_stage.process.files import read_all
from mpi_stage.rows.digest import ROW_BYTES, row_digests

_ROWS_AT_ONCE = 16
"""No tile ends in between: their heights are multiples of this."""


def verified_rows(
    fd: int, layout: TiffLayout, begin: int, height: int, digests: bytes
) -> Iterator[tuple[int, Pixels]]:
    """Yield the ``height`` rows of a band that begins at a byte of a file, some at once, with their number.

    The memory is used again. It ends early where a row is missing or has not the digest it should have.
    """
    buffer = layout.spec.empty(min(_ROWS_AT_ONCE, height))
    for first in range(0, height, _ROWS_AT_ONCE):
        rows = buffer[: height - first]
        wanted = digests[first * ROW_BYTES : (first + len(rows)) * ROW_BYTES]
        if not _read(fd, layout, begin, first, rows) or row_digests(rows) != wanted:
            return
        yield first, rows


def _read(fd: int, layout: TiffLayout, begin: int, first: int, rows: Pixels) -> bool:
    """Fill ``rows`` with those of the band from ``first`` on; return whether all were there."""
    if not layout.tiled:
        return _fill(fd, rows, begin + first * layout.spec.row_bytes)
    row_bytes = layout.segment_bytes // layout.segment_rows
    down, inside = divmod(first, layout.segment_rows)
    place = begin + down * layout.across * layout.segment_bytes + inside * row_bytes
    part = np.empty((len(rows), layout.segment_columns, layout.spec.channels), layout.spec.dtype)
    for number in range(layout.across):
        if not _fill(fd, part, place + number * layout.segment_bytes):
            return False
        target = rows[:, number * layout.segment_columns :][:, : layout.segment_columns]
        target[...] = part[:, : target.shape[1]]
    return True


def _fill(fd: int, pixels: Pixels, offset: int) -> bool:
    """Fill contiguous pixels from a file; return whether it has so many bytes."""
    data = pixels.reshape(-1).view(np.uint8).data
    try:
        return read_all(fd, data, offset) == len(data)
    except OSError:
        return False
