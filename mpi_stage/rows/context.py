"""What every rank carries through a request, and what a global step is handed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from mpi_stage.geometry.partition import Partition, Rows
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Operation, Params
from mpi_stage.process.timing import PhaseClock
from mpi_stage.rows.slab import RowReader, Slab
from mpi_stage.rows.tags import Tag


@dataclass
class Traffic:
    """Bytes of pixels that one rank has sent and received over MPI."""

    sent_bytes: int = 0
    received_bytes: int = 0


@dataclass(frozen=True)
class RankContext:
    """One rank of a world: its communicator, and its counts of time and traffic.

    Single messages go by Isend and Irecv alone: of MPI's calls these can be given a time limit.
    """

    comm: MPI.Intracomm
    clock: PhaseClock = field(default_factory=PhaseClock)
    traffic: Traffic = field(default_factory=Traffic)

    def send(self, values: NDArray[Any], target: int, tag: Tag) -> MPI.Request:
        """Begin to send a contiguous array, which must stay as it is until the request is complete."""
        self.traffic.sent_bytes += values.nbytes
        return self.comm.Isend(_bytes_of(values), dest=target, tag=tag)

    def receive(self, values: NDArray[Any], source: int, tag: Tag) -> MPI.Request:
        """Begin to fill a contiguous array with what a rank sends; all of it, and nothing more."""
        self.traffic.received_bytes += values.nbytes
        return self.comm.Irecv(_bytes_of(values), source=source, tag=tag)

    def barrier(self) -> None:
        """Wait for all ranks."""
        with self.clock.phase("wait"):
            self.comm.Barrier()


def _bytes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the memory of a contiguous array, as MPI takes any type."""
    return values.reshape(-1).view(np.uint8)


@dataclass(frozen=True)
class GlobalStep:
    """The rows of one rank before a global step, and the world that it shares them with.

    ``rows`` are this rank's rows of ``before``, dealt as ``partition`` says; ``reader`` reads them, and
    where it is ``shared`` those of the other ranks too. Where a change of geometry needs others that it
    cannot read, its pixels travel (``travels``). ``after`` is the image that the step makes,
    dealt as ``after_partition`` says: the step returns a reader of this rank's rows of it. ``slab``
    makes room for rows that outlive the step's work, in memory or in scratch as the plan has it.
    ``watch`` is called now and then while the step works, so that its memory is measured. What is put
    in ``found`` appears in the report.
    """

    context: RankContext
    partition: Partition
    after_partition: Partition
    rows: Rows
    reader: RowReader
    before: ImageSpec
    after: ImageSpec
    params: Params
    block_rows: int
    slab: Callable[[ImageSpec, Rows], Slab]
    operation: Operation
    watch: Callable[[], None]
    shared: bool = False
    travels: bool = False
    found: dict[str, Any] = field(default_factory=dict)
