"""Connected components of rows that arrive in blocks, joined over the seams by union–find.

A block's components are found by OpenCV. Of each only those that touch the block's first or last
row can go on elsewhere: these are the *nodes* of a graph whose edges are the seams between blocks,
then between ranks. Memory is a few bytes per column and block, never an image.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]
Flags = NDArray[np.bool_]

NOTHING = -1
CONNECTIVITY = 8


def label_block(mask: NDArray[np.uint8], connectivity: int = CONNECTIVITY) -> tuple[int, Labels]:
    """Return the number of labels (0 is the background) and the labels of a rows × columns mask."""
    count, labels = cv2.connectedComponents(mask, connectivity=connectivity, ltype=cv2.CV_32S)
    return int(count), labels.astype(np.int32, copy=False)


def join(nodes: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each of ``nodes`` nodes, the number of its component under the given pairs (n × 2).

    Every node points to the smallest that it is known to be joined with; pairs whose ends point to
    different nodes join these, and paths are halved, until nothing moves. Components are numbered
    from 0 in the order of their smallest nodes.
    """
    parent = np.arange(nodes, dtype=np.int64)
    while True:
        ends = parent[pairs]
        apart = ends[:, 0] != ends[:, 1]
        if not apart.any():
            return np.unique(parent, return_inverse=True)[1].astype(np.int64)
        np.minimum.at(parent, ends[apart].max(axis=1), ends[apart].min(axis=1))
        while not np.array_equal(parent, halved := parent[parent]):
            parent = halved


def seam_pairs(
    upper: NDArray[Any], lower: NDArray[Any], connectivity: int = CONNECTIVITY
) -> NDArray[np.int64]:
    """Return the pairs of nodes that touch over the seam of two rows of node numbers."""
    found = []
    for shift in (-1, 0, 1) if connectivity == CONNECTIVITY else (0,):
        above = upper[max(0, -shift) : len(upper) - max(0, shift)]
        below = lower[max(0, shift) : len(lower) - max(0, -shift)]
        both = (above != NOTHING) & (below != NOTHING)
        found.append(np.stack([above[both], below[both]], axis=1))
    return np.unique(np.concatenate(found).astype(np.int64), axis=0)


@dataclass(frozen=True)
class BlockNodes:
    """The components of one block that touch its first or last row.

    ``labels`` are their labels in the block, ascending; ``first`` is the number of the first one's
    node; ``top`` and ``bottom`` are the node numbers along the rows, NOTHING where there is none.
    """

    labels: NDArray[np.int64]
    first: int
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Labels, first: int) -> "BlockNodes":
        """Return the nodes of a block, numbered from ``first`` on."""
        touching = np.unique(np.concatenate([labels[0], labels[-1]]))
        touching = touching[touching != 0].astype(np.int64)
        return cls(touching, first, _nodes(labels[0], touching, first), _nodes(labels[-1], touching, first))

    @property
    def numbers(self) -> slice:
        """The numbers of the block's nodes."""
        return slice(self.first, self.first + len(self.labels))


def _nodes(row: NDArray[Any], touching: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    if not len(touching):
        return np.full(len(row), NOTHING, np.int64)
    return np.where(row == 0, NOTHING, np.searchsorted(touching, row) + first)
