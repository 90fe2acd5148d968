"""Halo rows: non-blocking swaps between the ranks that own rows and those that need them."""

from collections.abc import Callable

from mpi4py import MPI

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.partition import HaloNeed, Partition, Rows, halo_need
from mpi_stage.timing import PhaseClock

HALO_TAG = 1

ReadRows = Callable[[int, Pixels], None]


class Traffic:
    """Bytes of pixels that one rank has sent and received over MPI."""

    def __init__(self) -> None:
        """Start at zero."""
        self.sent_bytes = 0
        self.received_bytes = 0


class HaloSwap:
    """One swap for one pass, begun on construction and finished when the rows are asked for.

    Only Isend, Irecv and Waitall are used: of MPI's calls these can be given a time limit.
    Every rank derives from the partition alone who sends what to whom, in the same order.
    """

    def __init__(
        self,
        comm: MPI.Intracomm,
        partition: Partition,
        spec: ImageSpec,
        halo: int,
        read_rows: ReadRows,
        *,
        periodic: bool,
        traffic: Traffic,
        clock: PhaseClock,
    ) -> None:
        """Begin to swap ``halo`` rows of an image like ``spec``; ``read_rows`` reads this rank's own."""
        self._comm = comm
        self._partition = partition
        self._spec = spec
        self._halo = halo
        self._read_rows = read_rows
        self._periodic = periodic
        self._traffic = traffic
        self._clock = clock
        self.need: HaloNeed = halo_need(partition, comm.rank, halo, periodic=periodic)
        self._above = spec.empty(self.need.above.count)
        self._below = spec.empty(self.need.below.count)
        self._sends: list[MPI.Request] = []
        self._keep: list[Pixels] = []
        with clock.phase("halo"):
            self._from_above = self._receive(self.need.above, self._above)
            self._from_below = self._receive(self.need.below, self._below)
            self._send_all()

    @property
    def arriving(self) -> Rows:
        """The virtual rows that this rank will process: its slab and the halo rows around it."""
        if not self._partition.slab(self._comm.rank).count:
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
        with self._clock.phase("halo"):
            MPI.Request.Waitall(requests)

    def _receive(self, wanted: Rows, into: Pixels) -> list[MPI.Request]:
        """Begin to receive virtual rows; those that this rank owns itself are read at once."""
        requests = []
        for piece in self._partition.pieces(wanted):
            part = into[piece.virtual - wanted.first :][: piece.count]
            if piece.owner == self._comm.rank:
                self._read_rows(piece.first, part)
            else:
                requests.append(self._comm.Irecv(part, source=piece.owner, tag=HALO_TAG))
                self._traffic.received_bytes += part.nbytes
        return requests

    def _send_all(self) -> None:
        """Send every piece of this rank's slab that another rank needs."""
        mine = self._partition.slab(self._comm.rank)
        if not mine.count:
            return
        for other in range(self._comm.size):
            need = halo_need(self._partition, other, self._halo, periodic=self._periodic)
            for piece in (*self._partition.pieces(need.above), *self._partition.pieces(need.below)):
                if piece.owner == self._comm.rank != other:
                    self._send(other, piece.first, piece.count)

    def _send(self, other: int, first: int, count: int) -> None:
        rows = self._spec.empty(count)
        self._read_rows(first, rows)
        self._keep.append(rows)
        self._sends.append(self._comm.Isend(rows, dest=other, tag=HALO_TAG))
        self._traffic.sent_bytes += rows.nbytes
