"""Canny's hysteresis over every seam: weak edges stay where they reach a strong one, however far.

Two sweeps over a rank's rows. The first finds the components of each block of the weak map and
joins them over the block seams, then over the rank seams with one Allgather of the slabs' first and
last rows. The second finds each block's components again and keeps those that hold a strong pixel
or belong to a joined component that does.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_stage.collective.components import NOTHING, BlockNodes, Flags, join, seam_pairs
from mpi_stage.collective.edge_blocks import edge_nodes, kept_edges
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window
from mpi_stage.image import Pixels
from mpi_stage.rows.context import GlobalStep
from mpi_stage.rows.slab import Slab


def hysteresis(step: GlobalStep) -> "KeptEdges":
    """Return a reader of the final edges: full white on 0, in the type of ``step.after``."""
    edges = KeptEdges(step)
    edges.measure()
    return edges


class KeptEdges:
    """The rows of the final edges of one rank, made block by block when read."""

    def __init__(self, step: GlobalStep) -> None:
        """Prepare for the rows of ``step``."""
        self._step = step
        self._blocks: list[BlockNodes] = []
        self._keep: Flags = np.zeros(0, bool)
        self._cached = -1
        self._edges: Pixels = np.empty((0, 0, 1), np.uint8)
        self._buffer: Pixels = np.empty((0, 0, 1), np.uint8)
        ranks = range(step.context.comm.size)
        self._present = [rank for rank in ranks if step.partition.slab(rank).height]

    def measure(self) -> None:
        """Find and join the components of all blocks and ranks."""
        strong: list[Flags] = []
        pairs: list[NDArray[np.int64]] = [np.zeros((0, 2), np.int64)]
        nodes = 0
        for number in range(self._block_count):
            with self._step.context.clock.phase("compute"):
                block, flags = edge_nodes(self._levels(number), nodes)
                if self._blocks:
                    pairs.append(seam_pairs(self._blocks[-1].bottom, block.top))
            self._blocks.append(block)
            strong.append(flags)
            nodes += len(block.labels)
        members = join(nodes, np.concatenate(pairs))
        kept = _any_strong(members, np.concatenate(strong) if strong else np.zeros(0, bool))
        self._keep = self._join_ranks(members, kept)[members] if nodes else self._join_ranks(members, kept)

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the edges of the rows from ``first`` on."""
        done = 0
        while done < len(out):
            number = (first + done - self._step.rows.first) // self._step.block_rows
            rows = self._block_rows(number)
            start = first + done - rows.first
            part = out[done : done + rows.height - start]
            if len(part) == rows.height:
                self._settle(number, part)
            else:
                part[:] = self._kept(number)[start : start + len(part)]
            done += len(part)

    @property
    def _block_count(self) -> int:
        return -(-self._step.rows.height // self._step.block_rows)

    def _block_rows(self, number: int) -> Rows:
        first = self._step.rows.first + number * self._step.block_rows
        return Rows(first, min(first + self._step.block_rows, self._step.rows.end))

    def _levels(self, number: int) -> Pixels:
        """Return the levels of a block: where they lie, else in memory that the next one's take."""
        rows, reader = self._block_rows(number), self._step.reader
        if isinstance(reader, Slab):
            levels = reader.view(Window(rows, Rows(0, self._step.before.columns)))
            if levels is not None:
                return levels
        if not len(self._buffer):
            self._buffer = self._step.before.empty(rows.height)
        levels = self._buffer[: rows.height]
        reader.read_rows(rows.first, levels)
        return levels

    def _settle(self, number: int, out: Pixels) -> None:
        """Fill ``out`` with the final edges of a block."""
        levels = self._levels(number)
        with self._step.context.clock.phase("compute"):
            keep = self._keep[self._blocks[number].numbers]
            if out.dtype == np.uint8:
                kept_edges(levels, keep, out)
                return
            edges = np.empty(out.shape, np.uint8)
            kept_edges(levels, keep, edges)
            np.multiply(edges != 0, self._step.after.value_range, out=out, casting="unsafe")

    def _kept(self, number: int) -> Pixels:
        """Return the final edges of a block; the last block asked for is kept."""
        if self._cached != number:
            self._edges = self._step.after.empty(self._block_rows(number).height)
            self._settle(number, self._edges)
            self._cached = number
        return self._edges

    def _join_ranks(self, members: NDArray[np.int64], kept: Flags) -> Flags:
        """Return, per component of this rank, whether it is kept when all ranks are joined."""
        if self._step.context.comm.size == 1:
            return kept
        rows = self._gather(members, kept)
        offsets = np.cumsum([0, *(int(one.max(initial=NOTHING)) // 2 + 1 for one in rows)])
        pairs = [np.zeros((0, 2), np.int64)]
        for upper, lower in pairwise(range(len(rows))):
            pairs.append(
                seam_pairs(_global(rows[upper][1], offsets[upper]), _global(rows[lower][0], offsets[lower]))
            )
        joined = join(int(offsets[-1]), np.concatenate(pairs))
        strong = np.zeros(int(offsets[-1]), bool)
        for one, offset in zip(rows, offsets, strict=False):
            marked = one[one != NOTHING]
            strong[marked // 2 + offset] |= marked % 2 == 1
        kept_anywhere = _any_strong(joined, strong)[joined]
        return self._mine(kept, rows, offsets, kept_anywhere)

    def _gather(self, members: NDArray[np.int64], kept: Flags) -> list[NDArray[np.int64]]:
        """Return every rank's first and last row (2 × columns): 2 · component + strong, or NOTHING."""
        columns = self._step.before.columns
        mine = np.full((2, columns), NOTHING, np.int64)
        if self._blocks:
            for place, row in ((0, self._blocks[0].top), (1, self._blocks[-1].bottom)):
                there = row != NOTHING
                component = members[row[there]]
                mine[place, there] = 2 * component + kept[component]
        everyone = np.empty((self._step.context.comm.size, 2, columns), np.int64)
        with self._step.context.clock.phase("wait"):
            self._step.context.comm.Allgather(mine, everyone)
        self._step.context.traffic.sent_bytes += mine.nbytes
        self._step.context.traffic.received_bytes += everyone.nbytes - mine.nbytes
        return [everyone[rank] for rank in self._present]

    def _mine(
        self,
        kept: Flags,
        rows: list[NDArray[np.int64]],
        offsets: NDArray[Any],
        kept_anywhere: Flags,
    ) -> Flags:
        """Carry what was found for the components on this rank's first and last row back to them."""
        if self._step.context.comm.rank not in self._present:
            return kept
        place = self._present.index(self._step.context.comm.rank)
        marked = rows[place][rows[place] != NOTHING] // 2
        kept[marked] |= kept_anywhere[marked + offsets[place]]
        return kept


def _any_strong(members: NDArray[np.int64], strong: Flags) -> Flags:
    """Return, per component, whether any of its members is strong."""
    found = np.zeros(int(members.max(initial=NOTHING)) + 1, bool)
    found[members[strong]] = True
    return found


def _global(row: NDArray[np.int64], offset: int) -> NDArray[np.int64]:
    """Return the numbers of a rank's components among those of all ranks."""
    return np.where(row == NOTHING, NOTHING, row // 2 + offset)
