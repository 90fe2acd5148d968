"""The order in which the rows of bands come that are left to be made, and which bands they make whole."""

from collections import deque

from mpi_stage.bands.grid import BandGrid


class BandOrder:
    """Rows of one rank: each follows those before, or begins a band where the one before is whole.

    Attributes
    ----------
    next: the row after the last.
    due: the bands that have been begun, in order, until they are taken off.

    """

    def __init__(self, grid: BandGrid) -> None:
        """Expect the rows of some bands of ``grid``, in order."""
        self._grid = grid
        self.next = 0
        self.due: deque[int] = deque()

    def add(self, first: int, count: int) -> None:
        """Take note of rows from ``first`` on; raises ValueError where they may not come next."""
        height = self._grid.height
        whole = self.next % height == 0 or self.next == self._grid.rows
        if first != self.next and (first % height or not whole):
            raise ValueError(f"expected rows from {self.next} on, or those of another band, got {first}")
        self.next = first + count
        self.due.extend(range(-(-first // height), -(-self.next // height)))
