"""Pixels fetched from the ranks that own them, a window at a time, in rounds without a handshake.

In round r every rank gets what tile r of its own needs. All ranks derive from the partitions alone
what each of them needs in each round, so nothing but pixels travels. In a round a rank first begins
to receive all that it needs, then sends piece by piece, waiting for each. That cannot lock up: a
send waits only for a receive that its target begins as soon as it has completed the round before,
and by induction every round completes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from mpi4py import MPI

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Remap, Window, read_by_rows
from mpi_stage.image import Pixels
from mpi_stage.rows.context import GlobalStep
from mpi_stage.rows.slab import RowReader, WindowReader
from mpi_stage.rows.tags import Tag


def fetch(step: GlobalStep, remap: Remap) -> Iterator[tuple[Window, Sequence[tuple[Window, Pixels]]]]:
    """Yield this rank's tiles of the image after, each with the windows it needs and their pixels.

    Every rank of the world must go through all of it: they serve each other meanwhile.
    """
    comm = step.context.comm
    mine = step.after_partition.slab(comm.rank)
    grid = remap.grid
    counts = [grid.count(step.after_partition.slab(rank)) for rank in range(comm.size)]
    for number in range(max(counts)):
        windows = _windows(step, remap, comm.rank, number)
        parts = [np.empty(_shape(step, window), step.before.dtype) for window in windows]
        _exchange(step, remap, number, windows, parts)
        if number < counts[comm.rank]:
            yield grid.tile(mine, number), list(zip(windows, parts, strict=True))


def _windows(step: GlobalStep, remap: Remap, rank: int, number: int) -> tuple[Window, ...]:
    """Return what a rank needs in a round."""
    rows = step.after_partition.slab(rank)
    if number >= remap.grid.count(rows):
        return ()
    return remap.windows(remap.grid.tile(rows, number))


def _shape(step: GlobalStep, window: Window) -> tuple[int, int, int]:
    return window.rows.height, window.columns.height, step.before.channels


def _exchange(
    step: GlobalStep, remap: Remap, number: int, windows: Sequence[Window], parts: Sequence[Pixels]
) -> None:
    """Receive the pieces of this rank's windows, and send the others theirs."""
    comm = step.context.comm
    receiving: list[MPI.Request] = []
    for window, part in zip(windows, parts, strict=True):
        for piece in step.partition.pieces(window.rows) if window.pixels else ():
            into = part[piece.virtual - window.rows.first :][: piece.height]
            if piece.owner == comm.rank:
                rows = Rows(piece.first, piece.first + piece.height)
                read_window(step.reader, step, Window(rows, window.columns), into)
            else:
                receiving.append(step.context.receive(into, piece.owner, Tag.PIECE))
    own = step.partition.slab(comm.rank)
    for distance in range(1, comm.size):
        other = (comm.rank + distance) % comm.size
        for window in _windows(step, remap, other, number):
            shared = Rows(max(own.first, window.rows.first), min(own.end, window.rows.end))
            if shared.height > 0 and window.pixels:
                _send(step, other, Window(shared, window.columns))
    with step.context.clock.phase("wait"):
        MPI.Request.Waitall(receiving)


def _send(step: GlobalStep, other: int, window: Window) -> None:
    """Send one piece of this rank's rows, and wait until it is on its way."""
    piece = np.empty(_shape(step, window), step.before.dtype)
    read_window(step.reader, step, window, piece)
    with step.context.clock.phase("wait"):
        step.context.send(piece, other, Tag.PIECE).Wait()


def read_window(reader: RowReader, step: GlobalStep, window: Window, out: Pixels) -> None:
    """Fill ``out`` with the pixels of a window of the image before, which ``reader`` has."""
    if not window.pixels:
        return
    if isinstance(reader, WindowReader):
        reader.read_window(window, out)
    else:
        read_by_rows(reader.read_rows, step.before, window, out)
