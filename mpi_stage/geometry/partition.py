"""How the rows of an image are dealt to ranks; pure arithmetic, no MPI."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MESSAGE_BYTES = 8 << 20
"""Rows that only one rank can read or write travel in messages of about this size, never a slab at once."""


class Rows(NamedTuple):
    """The rows from ``first`` up to, not including, ``end``."""

    first: int
    end: int

    @property
    def height(self) -> int:
        """How many rows these are."""
        return self.end - self.first


class Piece(NamedTuple):
    """Rows that one rank owns and another needs.

    ``virtual`` is where the receiver counts them (outside the image in a periodic pass), ``first``
    where they lie in the image.
    """

    owner: int
    virtual: int
    first: int
    height: int


@dataclass(frozen=True)
class Partition:
    """``rows`` rows dealt to ``ranks`` ranks, cut only at multiples of ``unit``.

    Slabs are contiguous, in the order of the ranks, and differ by at most one unit. Where there are
    fewer units than ranks, some slabs are empty.
    """

    rows: int
    ranks: int
    unit: int = 1

    def slab(self, rank: int) -> Rows:
        """Return the rows of one rank."""
        units = -(-self.rows // self.unit)
        first = rank * units // self.ranks * self.unit
        end = (rank + 1) * units // self.ranks * self.unit
        return Rows(min(first, self.rows), min(end, self.rows))

    @property
    def largest(self) -> int:
        """Rows of the largest slab."""
        return max(self.slab(rank).height for rank in range(self.ranks))

    def pieces(self, wanted: Rows) -> Iterator[Piece]:
        """Split virtual rows into runs that one rank owns, top to bottom.

        Rows outside ``0 … rows`` stand for the image repeated above and below itself.
        """
        virtual = wanted.first
        while virtual < wanted.end:
            first = virtual % self.rows
            owner = self.owner(first)
            count = min(self.slab(owner).end - first, wanted.end - virtual)
            yield Piece(owner, virtual, first, count)
            virtual += count

    def owner(self, row: int) -> int:
        """Return the rank that has a row."""
        units = -(-self.rows // self.unit)
        rank = row // self.unit * self.ranks // units
        while self.slab(rank).end <= row:
            rank += 1
        return rank


@dataclass(frozen=True)
class HaloNeed:
    """The halo rows of one slab: ``above`` and ``below`` it, in virtual rows."""

    above: Rows
    below: Rows


def halo_need(partition: Partition, rank: int, halo: int, *, periodic: bool) -> HaloNeed:
    """Return what ``rank`` needs of the others for a combined halo of ``halo`` rows.

    In a periodic pass rows above the first are those at the bottom; otherwise there are none.
    """
    slab = partition.slab(rank)
    if not slab.height:
        return HaloNeed(Rows(0, 0), Rows(0, 0))
    if periodic:
        return HaloNeed(Rows(slab.first - halo, slab.first), Rows(slab.end, slab.end + halo))
    above = Rows(max(0, slab.first - halo), slab.first)
    below = Rows(slab.end, min(partition.rows, slab.end + halo))
    return HaloNeed(above, below)


def goes_inside_first(slab_rows: int, halo: int, block_rows: int) -> bool:
    """Whether the rows above a slab may come after its first block has been filtered.

    That block must have rows that need none of them, and all the rows of the slab that its edge needs.
    """
    return 0 < 2 * halo < min(slab_rows, block_rows)


def message_rows(row_bytes: int) -> int:
    """Return how many rows are dealt out or gathered at once; at least one."""
    return max(1, MESSAGE_BYTES // row_bytes)
