"""What a global step is handed beside its rows."""

from dataclasses import dataclass

from mpi4py import MPI

from mpi_stage.halo import Traffic
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaration import Params
from mpi_stage.partition import Partition, Rows
from mpi_stage.slab import RowReader
from mpi_stage.timing import PhaseClock


@dataclass(frozen=True)
class GlobalStep:
    """The rows of one rank before a global step, and the world that it shares them with.

    ``rows`` are this rank's rows of ``before``; ``reader`` reads them. ``after`` is the image that
    the step makes.
    """

    comm: MPI.Intracomm
    partition: Partition
    rows: Rows
    reader: RowReader
    before: ImageSpec
    after: ImageSpec
    params: Params
    block_rows: int
    clock: PhaseClock
    traffic: Traffic
    scratch: str
    in_memory: bool
