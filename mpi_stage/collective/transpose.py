"""A matrix of complex numbers, dealt to the ranks by rows, dealt anew by columns, and back.

A *line* is one column of the matrix: it has a value in every row. The exchange goes in rounds, in
each of which every rank gives a few of its rows and gets its lines of everyone's rows, so that no
more than a portion travels at a time.
"""

import math
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from mpi_stage.geometry.partition import Partition, Rows
from mpi_stage.rows.context import RankContext

Complexes = NDArray[np.complex128]

_TYPE = MPI.C_DOUBLE_COMPLEX
_BYTES = 16


@dataclass(frozen=True)
class Rounds:
    """How rows and lines are dealt, and that each rank gives ``height`` rows to a round."""

    rows: Partition
    lines: Partition
    height: int

    @property
    def count(self) -> int:
        """The number of rounds."""
        return math.ceil(self.rows.largest / self.height)

    def given(self, rank: int, number: int) -> Rows:
        """Return the rows that a rank gives to a round; none where it has no more."""
        slab = self.rows.slab(rank)
        first = min(slab.first + number * self.height, slab.end)
        return Rows(first, min(first + self.height, slab.end))

    def all_given(self, number: int) -> list[Rows]:
        """Return what every rank gives to a round, in the order of the ranks."""
        return [self.given(rank, number) for rank in range(self.rows.ranks)]


def to_lines(context: RankContext, rounds: Rounds, number: int, rows: Complexes) -> Complexes:
    """Give ``rows`` (this rank's of a round × all lines); return all rows of the round × own lines."""
    given = rounds.all_given(number)
    mine = rounds.lines.slab(context.comm.rank).height
    got = np.empty((sum(one.height for one in given), mine), np.complex128)
    whole, parts = _row_blocks(given, mine), _line_blocks(rounds, len(rows))
    _exchange(context, (np.ascontiguousarray(rows), parts), (got, whole))
    return got


def to_rows(context: RankContext, rounds: Rounds, number: int, lines: Complexes) -> Complexes:
    """Undo :func:`to_lines`: give all rows of a round × own lines; return own rows × all lines."""
    given = rounds.all_given(number)
    rank = context.comm.rank
    got = np.empty((given[rank].height, rounds.lines.rows), np.complex128)
    whole = _row_blocks(given, rounds.lines.slab(rank).height)
    _exchange(context, (np.ascontiguousarray(lines), whole), (got, _line_blocks(rounds, len(got))))
    return got


@dataclass(frozen=True)
class _Block:
    """A part of a matrix that goes to, or comes from, one rank: its place in bytes, and its shape."""

    place: int
    rows: int
    columns: int
    row_columns: int

    @property
    def nbytes(self) -> int:
        return self.rows * self.columns * _BYTES

    def datatype(self) -> MPI.Datatype:
        """Return the committed type of the block's elements."""
        return _TYPE.Create_vector(max(1, self.rows), self.columns, self.row_columns).Commit()


def _row_blocks(given: list[Rows], columns: int) -> list[_Block]:
    """Return whole rows, as many for each rank as it gives."""
    ends = np.cumsum([0, *(one.height for one in given)]).tolist()
    return [
        _Block(end * columns * _BYTES, one.height, columns, columns)
        for one, end in zip(given, ends, strict=False)
    ]


def _line_blocks(rounds: Rounds, height: int) -> list[_Block]:
    """Return the lines of each rank, of all ``height`` rows."""
    all_lines = rounds.lines.rows
    slabs = [rounds.lines.slab(rank) for rank in range(rounds.lines.ranks)]
    return [_Block(one.first * _BYTES, height, one.height, all_lines) for one in slabs]


def _exchange(
    context: RankContext, sent: tuple[Complexes, list[_Block]], got: tuple[Complexes, list[_Block]]
) -> None:
    """Send every rank its block of one matrix and receive its block of the other."""
    types = [[block.datatype() for block in blocks] for _, blocks in (sent, got)]
    messages = [
        [matrix, [int(block.nbytes > 0) for block in blocks], [block.place for block in blocks], kinds]
        for (matrix, blocks), kinds in zip((sent, got), types, strict=True)
    ]
    with context.clock.phase("wait"):
        context.comm.Alltoallw(*messages)
    for kind in (*types[0], *types[1]):
        kind.Free()
    others = [rank for rank in range(context.comm.size) if rank != context.comm.rank]
    context.traffic.sent_bytes += sum(sent[1][rank].nbytes for rank in others)
    context.traffic.received_bytes += sum(got[1][rank].nbytes for rank in others)
