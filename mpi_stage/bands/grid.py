"""How an output is cut into bands: pure arithmetic, the same on every rank and for any number of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from mpi_stage.geometry.partition import Rows
from mpi_stage.image import ImageSpec

LEAST_BANDED_BYTES = 64 << 20
"""Pixels below which an output is sooner made again than kept in bands."""

MOST_BAND_BYTES = 16 << 20
LEAST_BAND_BYTES = 1 << 20
BANDS = 512
"""About as many as an output has between those two: slabs end with bands, and many ranks need many."""


@dataclass(frozen=True)
class BandGrid:
    """``rows`` rows cut into bands of ``height`` rows, the last of which may be lower."""

    rows: int
    height: int

    @property
    def count(self) -> int:
        """How many bands there are."""
        return -(-self.rows // self.height)

    def rows_of(self, band: int) -> Rows:
        """Return the rows of a band."""
        return Rows(band * self.height, min(self.rows, (band + 1) * self.height))

    def of(self, rows: Rows) -> range:
        """Return the bands of which ``rows`` consists; they must begin and end where bands do."""
        if rows.first % self.height or (rows.end % self.height and rows.end != self.rows):
            raise ValueError(f"rows {rows.first} to {rows.end} are no whole bands of {self.height} rows")
        return range(rows.first // self.height, -(-rows.end // self.height))


class BandEnds(NamedTuple):
    """Where blocks end so that what comes out of a pass ends where bands do, its halo rows behind.

    Attributes
    ----------
    begin: the row that must have been read before the first row of the first band comes out.
    height: rows of a band.
    """

    begin: int
    height: int

    def after(self, row: int) -> int:
        """Return the first end behind a row."""
        return self.begin + (max(0, row - self.begin) // self.height + 1) * self.height


def choose_band_rows(
    spec: ImageSpec, unit_rows: int, asked_bytes: int | None = None, usual_bytes: int | None = None
) -> int | None:
    """Return the rows of a band, a multiple of ``unit_rows``; None where the output is too small for bands.

    ``unit_rows`` are the rows that are stored together. ``asked_bytes`` of pixels make a band whatever the
    output's size, else ``usual_bytes`` where they are given.
    """
    if asked_bytes is None and spec.total_bytes < LEAST_BANDED_BYTES:
        return None
    usual = usual_bytes or min(MOST_BAND_BYTES, max(LEAST_BAND_BYTES, spec.total_bytes // BANDS))
    units = max(1, (asked_bytes or usual) // (unit_rows * spec.row_bytes))
    return min(spec.rows, units * unit_rows)


def ranges(bands: Iterable[int]) -> list[list[int]]:
    """Return bands as ranges in order, each its first band and the one after its last."""
    found: list[list[int]] = []
    for band in sorted(bands):
        if found and found[-1][1] == band:
            found[-1][1] = band + 1
        else:
            found.append([band, band + 1])
    return found
