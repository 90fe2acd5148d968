"""Rows of smaller levels, brought to the ranks that began the tiles they lie in."""

import numpy as np
from mpi4py import MPI

from mpi_stage.formats.ports import SeamSink
from mpi_stage.geometry.partition import Partition
from mpi_stage.rows.context import RankContext
from mpi_stage.rows.tags import Tag


def join_seams(context: RankContext, partition: Partition, sink: SeamSink) -> None:
    """Exchange the seams of all ranks; ``partition`` is that of the image being written.

    Each rank sends what it has of each level to one other, which takes them one after another.
    """
    comm = context.comm
    seams = [(partition.owner(seam.home), seam) for seam in sink.seams()]
    announced: list[list[tuple[int, int, int]]] = [[] for _ in range(comm.size)]
    for rank, seam in seams:
        announced[rank].append((seam.level, seam.first, len(seam.rows)))
    with context.clock.phase("wait"):
        arriving = comm.alltoall(announced)
    sent = [context.send(np.ascontiguousarray(seam.rows), rank, Tag.LEVEL) for rank, seam in seams]
    for source, pieces in enumerate(arriving):
        for level, first, count in pieces:
            rows = sink.seam_spec(level).empty(count)
            with context.clock.phase("wait"):
                context.receive(rows, source, Tag.LEVEL).Wait()
            sink.take_seam(level, first, rows)
    with context.clock.phase("wait"):
        MPI.Request.Waitall(sent)
