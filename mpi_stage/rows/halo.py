"""Halo rows: non-blocking swaps between the ranks that own rows and those that need them."""

from collections.abc import Callable

from mpi4py import MPI

from mpi_stage.geometry.partition import HaloNeed, Partition, Rows, halo_need
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.rows.context import RankContext
from mpi_stage.rows.tags import Tag

ReadRows = Callable[[int, Pixels], None]


class HaloSwap:
    """One swap for one pass, begun on construction and finished when the rows are asked for.

    Every rank derives from the partition alone who sends what to whom, in the same order.
    """

    def __init__(
        self,
        context: RankContext,
        partition: Partition,
        spec: ImageSpec,
        halo: int,
        read_rows: ReadRows,
        *,
        periodic: bool,
    ) -> None:
        """Begin to swap ``halo`` rows of an image like ``spec``; ``read_rows`` reads this rank's own."""
        self._context = context
        self._partition = partition
        self._spec = spec
        self._halo = halo
        self._read_rows = read_rows
        self._periodic = periodic
        self.need: HaloNeed = halo_need(partition, context.comm.rank, halo, periodic=periodic)
        self._above = spec.empty(self.need.above.height)
        self._below = spec.empty(self.need.below.height)
        self._sends: list[MPI.Request] = []
        self._keep: list[Pixels] = []
        with context.clock.phase("halo"):
            self._from_above = self._receive(self.need.above, self._above)
            self._from_below = self._receive(self.need.below, self._below)
            self._send_all()

    @property
    def arriving(self) -> Rows:
        """The virtual rows that this rank will process: its slab and the halo rows around it."""
        if not self._partition.slab(self._context.comm.rank).height:
            return Rows(0, 0)
        return Rows(self.need.above.first, self.need.below.end)

    def progress(self) -> None:
        """Let MPI move what is under way, without waiting."""
        pending = self._from_above + self._from_below + self._sends
        if pending:
            MPI.Request.Testall(pending)

    def wait_above(self) -> Pixels:
        """Return the rows above the slab, once they have arrived."""
        self._wait(self._from_above)
        return self._above

    def wait_below(self) -> Pixels:
        """Return the rows below the slab, once they have arrived."""
        self._wait(self._from_below)
        return self._below

    def wait_all(self) -> None:
        """Wait until nothing is under way, and give the memory of what was sent back."""
        self._wait(self._from_above + self._from_below + self._sends)
        self._keep.clear()

    def _wait(self, requests: list[MPI.Request]) -> None:
        with self._context.clock.phase("halo"):
            MPI.Request.Waitall(requests)

    def _receive(self, wanted: Rows, into: Pixels) -> list[MPI.Request]:
        """Begin to receive virtual rows; those that this rank owns itself are read at once."""
        requests = []
        for piece in self._partition.pieces(wanted):
            part = into[piece.virtual - wanted.first :][: piece.height]
            if piece.owner == self._context.comm.rank:
                self._read_rows(piece.first, part)
            else:
                requests.append(self._context.receive(part, piece.owner, Tag.HALO))
        return requests

    def _send_all(self) -> None:
        """Send every piece of this rank's slab that another rank needs."""
        mine = self._partition.slab(self._context.comm.rank)
        if not mine.height:
            return
        for other in range(self._context.comm.size):
            need = halo_need(self._partition, other, self._halo, periodic=self._periodic)
            for piece in (*self._partition.pieces(need.above), *self._partition.pieces(need.below)):
                if piece.owner == self._context.comm.rank != other:
                    self._send(other, piece.first, piece.height)

    def _send(self, other: int, first: int, count: int) -> None:
        rows = self._spec.empty(count)
        self._read_rows(first, rows)
        self._keep.append(rows)
        self._sends.append(self._context.send(rows, other, Tag.HALO))
