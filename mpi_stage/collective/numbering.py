"""Components that span blocks and ranks, and the numbers that they get in the order of first pixels.

Of each block only the components that touch its first or last row can go on elsewhere: they are
*nodes*. Nodes are joined over the seams between the blocks of a rank, then over those between ranks.
A component counts in the one block that holds its first pixel; so its number follows from how many
count in the blocks above, and how many in the same block come before it.
"""

from dataclasses import dataclass, field

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from mpi_stage.collective.components import NOTHING, Flags, join, seam_pairs
from mpi_stage.geometry.partition import Partition
from mpi_stage.rows.context import RankContext
from mpi_stage.rows.tags import Tag

Numbers = NDArray[np.int64]


def _none() -> Numbers:
    return np.zeros(0, np.int64)


def _no_pairs() -> Numbers:
    return np.zeros((0, 2), np.int64)


@dataclass
class Nodes:
    """The nodes of one rank, collected block by block, top to bottom.

    Attributes
    ----------
    firsts: for each node, the place (row · columns + column) of its first pixel in its block.
    before: for each node, how many components inside its block, no nodes, begin before it.
    inside: for each block, how many of its components are no nodes.
    starts: for each block, the number of its first node; and one more, the number of nodes.
    top, bottom: the node numbers along the first row of the first block and the last row of the last.

    """

    connectivity: int
    firsts: list[Numbers] = field(default_factory=lambda: [_none()])
    before: list[Numbers] = field(default_factory=lambda: [_none()])
    inside: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    pairs: list[Numbers] = field(default_factory=lambda: [_no_pairs()])
    top: Numbers = field(default_factory=_none)
    bottom: Numbers = field(default_factory=_none)

    def add(self, firsts: Numbers, before: Numbers, inside: int, top: Numbers, bottom: Numbers) -> None:
        """Add the next block; ``top`` and ``bottom`` are its first and last row as node numbers."""
        if self.inside:
            self.pairs.append(seam_pairs(self.bottom, top, self.connectivity))
        else:
            self.top = top
        self.bottom = bottom
        self.firsts.append(firsts)
        self.before.append(before)
        self.inside.append(inside)
        self.starts.append(self.starts[-1] + len(firsts))

    def of(self, block: int) -> slice:
        """Return the numbers of a block's nodes."""
        return slice(self.starts[block], self.starts[block + 1])


@dataclass(frozen=True)
class Numbering:
    """What one rank needs to number its components.

    Attributes
    ----------
    total: how many components the image has.
    bases: for each block, how many components count in the blocks above it.
    counts: for each node, whether its component counts in its block.
    numbers: for each node, its component's number, from 1 on.

    """

    total: int
    bases: Numbers
    counts: Flags
    numbers: Numbers


def number_components(context: RankContext, partition: Partition, nodes: Nodes) -> Numbering:
    """Join the nodes of all ranks and number their components; every rank calls this with its own."""
    members = join(nodes.starts[-1], np.concatenate(nodes.pairs))
    places = np.concatenate(nodes.firsts)
    begins = _smallest(members, places)
    seams = _Seams.of(context, partition, nodes, members, begins)
    begins[seams.mine] = seams.begins
    counts = places == begins[members]
    counted = [int(np.count_nonzero(counts[nodes.of(block)])) for block in range(len(nodes.inside))]
    ends = np.cumsum([0, *np.add(nodes.inside, counted)], dtype=np.int64)
    everyone = _sizes(context, int(ends[-1]))
    bases = ends[:-1] + sum(everyone[: context.comm.rank])
    numbers = np.zeros(len(begins), np.int64)
    numbers[members[counts]] = _own_numbers(nodes, bases, places, counts)[counts]
    seams.share(context, numbers)
    return Numbering(sum(everyone), bases, counts, numbers[members])


def _own_numbers(nodes: Nodes, bases: Numbers, places: Numbers, counts: Flags) -> Numbers:
    """Return the numbers of the nodes that count where they are; those of the others mean nothing."""
    numbers = 1 + np.concatenate(nodes.before)
    for block, base in enumerate(bases):
        own = nodes.of(block)
        counted = np.sort(places[own][counts[own]])
        numbers[own] += base + np.searchsorted(counted, places[own])
    return numbers


@dataclass(frozen=True)
class _Seams:
    """The components that go on over a seam between ranks.

    ``mine`` are this rank's, as it numbers them, ascending; ``whole`` are the numbers, the same on all
    ranks, of the whole components that they belong to, of which there are ``count``; and ``begins`` is
    where those begin.
    """

    mine: Numbers
    whole: Numbers
    begins: Numbers
    count: int

    @classmethod
    def of(
        cls, context: RankContext, partition: Partition, nodes: Nodes, members: Numbers, begins: Numbers
    ) -> "_Seams":
        """Join the components of all ranks, ``members`` mapping this one's nodes to them."""
        offset = sum(_sizes(context, len(begins))[: context.comm.rank])
        above = _row_above(context, partition, _named(nodes.bottom, members, offset))
        pairs = _no_pairs()
        if above is not None:
            pairs = seam_pairs(above, _named(nodes.top, members, offset), nodes.connectivity)
        pairs = _gather(context, pairs)
        names = np.unique(pairs)
        joined = join(len(names), np.searchsorted(names, pairs))
        here = (names >= offset) & (names < offset + len(begins))
        mine = names[here] - offset
        known = _gather(context, np.stack([names[here], begins[mine]], axis=1))
        smallest = _smallest(joined, known[np.argsort(known[:, 0]), 1])
        return cls(mine, joined[here], smallest[joined[here]], len(smallest))

    def share(self, context: RankContext, numbers: Numbers) -> None:
        """Complete ``numbers``, which are 0 for components that count on another rank, in place."""
        known = numbers[self.mine] > 0
        told = _gather(context, np.stack([self.whole[known], numbers[self.mine[known]]], axis=1))
        table = np.zeros(self.count, np.int64)
        table[told[:, 0]] = told[:, 1]
        numbers[self.mine] = table[self.whole]


def _row_above(context: RankContext, partition: Partition, row: Numbers) -> Numbers | None:
    """Send this rank's last row down; return the last row of the rank above, None if there is none."""
    comm = context.comm
    present = [rank for rank in range(comm.size) if partition.slab(rank).height]
    if comm.rank not in present:
        return None
    place = present.index(comm.rank)
    above = np.empty_like(row)
    requests = []
    with context.clock.phase("halo"):
        if place:
            requests.append(context.receive(above, present[place - 1], Tag.SEAM))
        if place + 1 < len(present):
            requests.append(context.send(row, present[place + 1], Tag.SEAM))
        MPI.Request.Waitall(requests)
    return above if place else None


def _sizes(context: RankContext, size: int) -> list[int]:
    """Return the sizes of all ranks."""
    with context.clock.phase("wait"):
        return list(context.comm.allgather(size))


def _gather(context: RankContext, pairs: Numbers) -> Numbers:
    """Return the pairs (n × 2) of all ranks, in the order of the ranks."""
    mine = np.ascontiguousarray(pairs, np.int64)
    values = [2 * size for size in _sizes(context, len(mine))]
    everyone = np.empty((sum(values) // 2, 2), np.int64)
    with context.clock.phase("wait"):
        context.comm.Allgatherv(mine, (everyone, values))
    context.traffic.sent_bytes += mine.nbytes
    context.traffic.received_bytes += everyone.nbytes - mine.nbytes
    return everyone


def _named(row: Numbers, members: Numbers, offset: int) -> Numbers:
    """Return the names, unique among all ranks, of the components along a row of node numbers."""
    names = np.full(len(row), NOTHING, np.int64)
    there = row != NOTHING
    names[there] = members[row[there]] + offset
    return names


def _smallest(members: Numbers, places: Numbers) -> Numbers:
    """Return, per component, the smallest of its members' places."""
    found = np.full(int(members.max(initial=NOTHING)) + 1, np.iinfo(np.int64).max, np.int64)
    np.minimum.at(found, members, places)
    return found
