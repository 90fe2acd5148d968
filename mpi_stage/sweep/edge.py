"""The upper edge of a slab: filtered after the rows that follow it, while halo rows are on their way."""

from collections.abc import Iterator, Sequence
from typing import Any

from mpi_stage.geometry.partition import Rows
from mpi_stage.image import Pixels
from mpi_stage.planning.plan import Pass
from mpi_stage.sweep.stream import Chain, Emit

PARTS = 8
"""In which a first block is filtered; between them MPI moves the halo rows on."""


class UpperEdge:
    """The first ``halo`` rows of a rank's part of a pass, for which the rows above the slab are needed.

    What follows them in the slab's first block needs none of these. It is filtered at once and held
    here until the edge is, so that results leave in order; more than one block is never held.
    """

    def __init__(self, one: Pass, arriving: Rows, slab: Rows, measured: Sequence[Any]) -> None:
        """Prepare for a pass over ``slab`` to which the virtual rows ``arriving`` come."""
        self._pass, self._measured = one, measured
        self._halo = one.halo_rows
        self._needed = Rows(arriving.first, slab.first + 2 * self._halo)
        self._edge = Rows(slab.first, slab.first + self._halo)
        self.inside = Rows(slab.first + self._halo, slab.end)
        self.entering = Rows(slab.first, arriving.end)
        self._first: Pixels | None = None
        self._held: list[Pixels] = []

    def parts(self, rows: Pixels) -> Iterator[Pixels]:
        """Yield the slab's first block in parts, for the chain of the rows inside."""
        self._first = rows[: 2 * self._halo].copy()
        height = max(2 * self._halo, -(-len(rows) // PARTS))
        for start in range(0, len(rows), height):
            yield rows[start : start + height]

    def hold(self, rows: Pixels) -> None:
        """Keep results that come after those of the edge."""
        self._held.append(rows.copy())

    def finish(self, above: Pixels, emit: Emit) -> None:
        """Filter the edge with the rows above it and let it go, then what was held."""
        one = self._pass
        chain = Chain(
            one.steps, self._needed, self._edge, self._halo, periodic=one.periodic, measured=self._measured
        )
        for rows in (above, self._first):
            if rows is not None:
                chain.push(rows, emit)
        chain.finish(emit)
        self._first = None
        for rows in self._held:
            emit(rows)
        self._held.clear()
