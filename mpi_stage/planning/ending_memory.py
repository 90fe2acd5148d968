"""How much memory the step that ends a pass takes: while it works, and of the passes after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mpi_stage.geometry.window import TILE_BYTES
from mpi_stage.operations.declaring.declaration import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpi_stage.geometry.partition import Partition
    from mpi_stage.image import ImageSpec
    from mpi_stage.planning.plan import PlannedStep

    Deal = Callable[[ImageSpec], Partition]

LABEL_BYTES_PER_PIXEL = 16
"""Connected components of one block: labels, masks and their temporaries."""

SEAM_BYTES_PER_COLUMN = 32
"""What is kept of each block's first and last row until components are joined."""

NUMBER_BYTES_PER_PIXEL = 4
"""The block of joined components that was read last: it is kept, as the next rows may be of it too."""

TILES_MADE, TILES_NEEDED = 2, 3
"""Tiles that a change of geometry holds: what is made and its copy; its window, and what travels."""

STATES_AT_ONCE = 4
"""Copies of what a reduce step measures into while the ranks join theirs."""


class Reading(NamedTuple):
    """Bytes of the rows that a global step has made and that lie in no slab.

    ``working`` while a block of them is read, ``kept`` from block to block.
    """

    working: int = 0
    kept: int = 0


def ending_bytes(ending: PlannedStep, deal: Deal, block_rows: int, *, apart: bool) -> int:
    """Return the bytes that a reduce or global step needs of one rank while it works, beside slabs.

    ``apart`` says of a change of geometry that its pixels travel between ranks, into slabs.
    """
    operation, partition = ending.operation, deal(ending.before)
    if operation.working_bytes is not None:
        return operation.working_bytes(ending.step.params, ending.before, partition.largest, partition.ranks)
    if operation.pattern is Pattern.REDUCE:
        return STATES_AT_ONCE * _state_bytes(ending)
    if operation.remap is not None:
        return _tile_bytes(ending, deal, block_rows, apart=apart)
    return ending.before.columns * block_rows * LABEL_BYTES_PER_PIXEL + _seam_bytes(ending, deal, block_rows)


def found_bytes(ending: PlannedStep) -> int:
    """Return the bytes of what a reduce step has found, which is kept to the end; 0 for any other step."""
    reduction = ending.operation.reduction
    if reduction is None:
        return 0
    if reduction.found_bytes is not None:
        return reduction.found_bytes(ending.kernel_spec, ending.step.params)
    return _state_bytes(ending)


def reading_bytes(ending: PlannedStep, deal: Deal, block_rows: int, *, apart: bool) -> Reading:
    """Return what reading the rows that a global step has made takes of one rank, beside slabs."""
    operation, partition = ending.operation, deal(ending.before)
    if operation.reading_bytes is not None:
        declared = operation.reading_bytes
        return Reading(declared(ending.step.params, ending.before, partition.largest, partition.ranks))
    working = ending_bytes(ending, deal, block_rows, apart=apart)
    if operation.remap is not None or operation.working_bytes is not None:
        return Reading(working)
    seams = _seam_bytes(ending, deal, block_rows)
    last = ending.before.columns * block_rows * NUMBER_BYTES_PER_PIXEL
    return Reading(working - seams, seams + last)


def _state_bytes(ending: PlannedStep) -> int:
    """Bytes of what a reduce step measures into, in the round that has most."""
    reduction, spec, params = ending.operation.reduction, ending.kernel_spec, ending.step.params
    if reduction is None:
        return 0
    return max(
        int(one.start(spec, params, None).nbytes)
        if one.state_bytes is None
        else one.state_bytes(spec, params)
        for one in reduction.rounds(spec, params)
    )


def _tile_bytes(ending: PlannedStep, deal: Deal, block_rows: int, *, apart: bool) -> int:
    """Bytes for moving pixels: a tile, what it is made of, and pieces of it sent and received.

    Where none travel a tile is made as it is read, no higher than a block; what it is made of is no higher
    either where rows stay rows, or are moved as they are.
    """
    images = (ending.before, ending.after)
    operation, rows = ending.operation, [deal(image).largest for image in images]
    most = max(map(_most_of_tile, images, rows))
    if apart or operation.remap is None:
        return (TILES_MADE + TILES_NEEDED) * most
    low = max(map(_most_of_tile, images, (min(each, block_rows) for each in rows)))
    remap = operation.remap(ending.step.params, *images)
    few = remap.rowwise or (operation.moves_values and not remap.grid.skewed)
    return TILES_MADE * low + TILES_NEEDED * (low if few else most)


def _most_of_tile(image: ImageSpec, rows: int) -> int:
    """Bytes of a tile of an image, of which a rank makes so many rows; at least one row."""
    return max(image.row_bytes, min(TILE_BYTES, rows * image.row_bytes))


def _seam_bytes(ending: PlannedStep, deal: Deal, block_rows: int) -> int:
    """Bytes of the seams of all blocks of a rank, for joining components."""
    blocks = -(-deal(ending.before).largest // max(1, block_rows))
    return ending.before.columns * blocks * SEAM_BYTES_PER_COLUMN
