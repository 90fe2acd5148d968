"""The connected edges of one block: which of them go on elsewhere, and which stay.

Compiled where that was built, else OpenCV's labels. The two number a block's nodes differently, which
does not show: what is kept of them is joined by where they touch.
"""

import numpy as np
from numpy.typing import NDArray

from mpi_stage.collective.components import NOTHING, BlockNodes, Flags, label_block
from mpi_stage.image import Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.canny import STRONG_EDGE


def edge_nodes(levels: Pixels, first: int) -> tuple[BlockNodes, Flags]:
    """Return the nodes of a block, numbered from ``first`` on, and which of them hold a strong pixel."""
    if kernels is None:
        labels, strong = _labelled(levels)
        nodes = BlockNodes.of(labels, first)
        return nodes, strong[nodes.labels]
    columns = levels.shape[1]
    ends = np.empty((2, columns, 1), np.int32)
    found = np.zeros((1, columns + 1, 1), np.uint8)
    count = kernels.edge_components(levels, ends, found)
    top, bottom = np.where(ends[..., 0] == 0, NOTHING, ends[..., 0].astype(np.int64) + (first - 1))
    return BlockNodes(np.arange(1, count + 1), first, top, bottom), found[0, :count, 0] != 0


def kept_edges(levels: Pixels, keep: Flags, out: NDArray[np.uint8]) -> None:
    """Set ``out`` to 255 where an edge of the block stays, else to 0; ``keep`` says which nodes stay."""
    if kernels is not None:
        kernels.keep_edges(levels, keep.view(np.uint8).reshape(1, -1, 1), out)
        return
    labels, stays = _labelled(levels)
    stays[BlockNodes.of(labels, 0).labels] |= keep
    out[..., 0] = np.where(stays, np.uint8(255), np.uint8(0))[labels]


def _labelled(levels: Pixels) -> tuple[NDArray[np.int32], Flags]:
    """Return the labels of a block and, per label, whether it holds a strong pixel."""
    level = levels[..., 0]
    count, labels = label_block(np.minimum(level, 1))
    strong = np.zeros(count, bool)
    strong[labels[level == STRONG_EDGE]] = True
    return labels, strong
