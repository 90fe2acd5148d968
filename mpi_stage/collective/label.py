"""Connected components of the whole image, numbered row by row in the order of their first pixels.

Two sweeps over a rank's rows. The first finds the components of each block and joins them over all
seams, those between ranks too; the second finds each block's components again and writes their
numbers. What is kept between them is a few numbers for each component that touches a block's edge.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi_stage.collective.components import BlockNodes, Flags, Labels, label_block
from mpi_stage.collective.numbering import Nodes, Numbering, Numbers, number_components
from mpi_stage.errors import LimitError
from mpi_stage.geometry.partition import Rows
from mpi_stage.image import Pixels
from mpi_stage.rows.context import GlobalStep

_MOST = int(np.iinfo(np.uint32).max)


def label(step: GlobalStep) -> "NumberedRows":
    """Return a reader of the labels: 0 for the background, else the component's number.

    Raises LimitError where there are more components than uint32 can number.
    """
    blocks = _Blocks(step)
    nodes, edges = blocks.measure()
    numbering = number_components(step.context, step.partition, nodes)
    if numbering.total > _MOST:
        raise LimitError(
            f"label found {numbering.total} components, and uint32 numbers {_MOST}; remove specks before, "
            "for instance with median or opening"
        )
    step.found["count"] = numbering.total
    return NumberedRows(blocks, nodes, edges, numbering)


@dataclass(frozen=True)
class _Block:
    """The components of a block: its labels, and where each begins in the image (0 is unused)."""

    rows: Rows
    labels: Labels
    firsts: Numbers

    @classmethod
    def of(cls, rows: Rows, mask: NDArray[np.uint8], connectivity: int) -> "_Block":
        """Find the components of a rows × columns mask of 0 and 1."""
        count, labels = label_block(mask, connectivity)
        runs = mask.copy()
        runs[:, 1:] &= mask[:, :-1] ^ 1
        places = np.flatnonzero(runs)  # a component's first pixel begins a run
        firsts = np.full(count, mask.size, np.int64)
        np.minimum.at(firsts, labels.reshape(-1)[places], places)
        return cls(rows, labels, firsts + rows.first * mask.shape[1])

    def inside(self, touching: Numbers) -> Flags:
        """Return, per label, whether it is a component that touches neither the first nor the last row."""
        inside = np.ones(len(self.firsts), bool)
        inside[0] = False
        inside[touching] = False
        return inside


class _Blocks:
    """The components of this rank's rows, block by block."""

    def __init__(self, step: GlobalStep) -> None:
        self.step = step
        self._connectivity = int(str(step.params["connectivity"]))

    def rows(self, number: int) -> Rows:
        """Return the rows of a block; none beyond the last."""
        slab, height = self.step.rows, self.step.block_rows
        first = min(slab.first + number * height, slab.end)
        return Rows(first, min(first + height, slab.end))

    def number(self, row: int) -> int:
        """Return the number of the block that holds ``row``."""
        return (row - self.step.rows.first) // self.step.block_rows

    def find(self, number: int) -> _Block:
        """Find the components of a block."""
        rows = self.rows(number)
        pixels = self.step.before.empty(rows.height)
        self.step.reader.read_rows(rows.first, pixels)
        with self.step.context.clock.phase("compute"):
            return _Block.of(rows, (pixels[..., 0] != 0).view(np.uint8), self._connectivity)

    def measure(self) -> tuple[Nodes, list[Numbers]]:
        """Return the nodes of all blocks and, for each block, their labels in it."""
        nodes, edges = Nodes(self._connectivity), []
        for number in range(-(-self.step.rows.height // self.step.block_rows)):
            block = self.find(number)
            with self.step.context.clock.phase("compute"):
                found = BlockNodes.of(block.labels, nodes.starts[-1])
                inside = np.sort(block.firsts[block.inside(found.labels)])
                firsts = block.firsts[found.labels]
                before = np.searchsorted(inside, firsts)
                nodes.add(firsts, before, len(inside), found.top, found.bottom)
            edges.append(found.labels)
            self.step.watch()
        return nodes, edges


class NumberedRows:
    """The labels of one rank's rows, made block by block when read."""

    def __init__(self, blocks: _Blocks, nodes: Nodes, edges: list[Numbers], numbering: Numbering) -> None:
        """Prepare to number the components of ``blocks``."""
        self._blocks = blocks
        self._nodes = nodes
        self._edges = edges
        self._numbering = numbering
        self._cached: tuple[int, Pixels] | None = None

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the labels of the rows from ``first`` on."""
        done = 0
        while done < len(out):
            number = self._blocks.number(first + done)
            labels = self._labels(number)
            start = first + done - self._blocks.rows(number).first
            part = labels[start : start + len(out) - done]
            out[done : done + len(part)] = part
            done += len(part)

    def _labels(self, number: int) -> Pixels:
        """Return the numbered rows of a block; the last block asked for is kept."""
        if self._cached is None or self._cached[0] != number:
            self._cached = None
            block = self._blocks.find(number)
            with self._blocks.step.context.clock.phase("compute"):
                self._cached = (number, self._numbers(number, block)[block.labels][..., np.newaxis])
        return self._cached[1]

    def _numbers(self, number: int, block: _Block) -> NDArray[np.uint32]:
        """Return the number of each label of a block; 0 for the background."""
        edge, own = self._edges[number], self._nodes.of(number)
        counts = block.inside(edge)
        counts[edge] = self._numbering.counts[own]
        counting = np.flatnonzero(counts)
        numbers = np.zeros(len(block.firsts), np.uint32)
        numbers[edge] = self._numbering.numbers[own]
        order = counting[np.argsort(block.firsts[counting])]
        numbers[order] = self._numbering.bases[number] + 1 + np.arange(len(order))
        return numbers
