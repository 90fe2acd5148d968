"""Rows to and from files that only one rank can read or write: streamed in blocks, never whole."""

from collections.abc import Iterator

from mpi4py import MPI

from mpi_stage.formats.base import Sink, Source
from mpi_stage.halo import Traffic
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.partition import Partition
from mpi_stage.slab import Slab
from mpi_stage.timing import PhaseClock

TRANSFER_TAG = 2
CHUNK_BYTES = 8 << 20
"""Rows travel in messages of about this size, so that no rank holds a slab twice."""


def spread(
    comm: MPI.Intracomm, partition: Partition, source: Source, slab: Slab, clock: PhaseClock, traffic: Traffic
) -> None:
    """Deal the rows of an indivisible source, which rank 0 decodes, into every rank's slab."""
    for rank, first, count in _chunks(partition, slab.spec):
        if comm.rank not in {0, rank}:
            continue
        chunk = slab.spec.empty(count)
        if comm.rank == 0:
            source.read_rows(first, chunk)
        if rank:
            _carry(comm, chunk, 0, rank, clock, traffic)
        if comm.rank == rank:
            slab.write_rows(first, chunk)


def collect(
    comm: MPI.Intracomm, partition: Partition, sink: Sink, slab: Slab, clock: PhaseClock, traffic: Traffic
) -> None:
    """Bring every other rank's rows to rank 0, which has written its own, and complete the file."""
    for rank, first, count in _chunks(partition, slab.spec):
        if not rank or comm.rank not in {0, rank}:
            continue
        chunk = slab.spec.empty(count)
        if comm.rank == rank:
            slab.read_rows(first, chunk)
        _carry(comm, chunk, rank, 0, clock, traffic)
        if comm.rank == 0:
            sink.write_rows(first, chunk)
    if comm.rank == 0:
        sink.assemble([list(sink.end_part())], 0)


def _chunks(partition: Partition, spec: ImageSpec) -> Iterator[tuple[int, int, int]]:
    """Yield rank, first row and height of every message, top to bottom."""
    height = max(1, CHUNK_BYTES // spec.row_bytes)
    for rank in range(partition.ranks):
        rows = partition.slab(rank)
        for first in range(rows.first, rows.end, height):
            yield rank, first, min(height, rows.end - first)


def _carry(
    comm: MPI.Intracomm, rows: Pixels, source: int, target: int, clock: PhaseClock, traffic: Traffic
) -> None:
    """Send or receive ``rows``, as this rank is the source or the target."""
    data = memoryview(rows).cast("B")
    with clock.phase("wait"):
        if comm.rank == source:
            comm.Isend([data, MPI.BYTE], dest=target, tag=TRANSFER_TAG).Wait()
            traffic.sent_bytes += rows.nbytes
        else:
            comm.Irecv([data, MPI.BYTE], source=source, tag=TRANSFER_TAG).Wait()
            traffic.received_bytes += rows.nbytes
