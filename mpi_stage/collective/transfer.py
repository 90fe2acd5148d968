"""Rows to and from files that only one rank can read or write: streamed in blocks, never whole."""

from collections.abc import Iterator

from mpi_stage.formats.ports import Sink, Source
from mpi_stage.geometry.partition import Partition, message_rows
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.rows.context import RankContext
from mpi_stage.rows.slab import Slab
from mpi_stage.rows.tags import Tag
from mpi_stage.sweep.chains import Room, one_buffer


def spread(context: RankContext, partition: Partition, source: Source, slab: Slab) -> None:
    """Deal the rows of an indivisible source, which rank 0 decodes, into every rank's slab."""
    room = _room(partition, slab.spec)
    for rank, first, count in _chunks(partition, slab.spec):
        if context.comm.rank not in {0, rank}:
            continue
        chunk = room(count)
        if context.comm.rank == 0:
            source.read_rows(first, chunk)
        if rank:
            _carry(context, chunk, 0, rank)
        if context.comm.rank == rank:
            slab.write_rows(first, chunk)


def collect(context: RankContext, partition: Partition, sink: Sink, slab: Slab) -> None:
    """Bring every other rank's rows to rank 0, which has written its own, and complete the file."""
    room = _room(partition, slab.spec)
    for rank, first, count in _chunks(partition, slab.spec):
        if not rank or context.comm.rank not in {0, rank}:
            continue
        chunk = room(count)
        if context.comm.rank == rank:
            slab.read_rows(first, chunk)
        _carry(context, chunk, rank, 0)
        if context.comm.rank == 0:
            sink.write_rows(first, chunk)
    if context.comm.rank == 0:
        sink.assemble([list(sink.end_part())], 0)


def _room(partition: Partition, spec: ImageSpec) -> Room:
    """Return room for one message after the other, in the same memory."""
    return one_buffer(spec, min(partition.largest, message_rows(spec.row_bytes)))


def _chunks(partition: Partition, spec: ImageSpec) -> Iterator[tuple[int, int, int]]:
    """Yield rank, first row and height of every message, top to bottom."""
    height = message_rows(spec.row_bytes)
    for rank in range(partition.ranks):
        rows = partition.slab(rank)
        for first in range(rows.first, rows.end, height):
            yield rank, first, min(height, rows.end - first)


def _carry(context: RankContext, rows: Pixels, source: int, target: int) -> None:
    """Send or receive ``rows``, as this rank is the source or the target."""
    with context.clock.phase("wait"):
        if context.comm.rank == source:
            context.send(rows, target, Tag.DEALT).Wait()
        else:
            context.receive(rows, source, Tag.DEALT).Wait()
