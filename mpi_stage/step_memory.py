"""How much memory the fused steps of a pass take on one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpi_stage.operations.declaration import Pattern
from mpi_stage.partition import goes_inside_first

if TYPE_CHECKING:
    from mpi_stage.partition import Partition
    from mpi_stage.plan import Pass, PlannedStep

MASKED_BYTES_PER_VALUE = 48
"""Temporaries of a kernel that leaves pixels without data out: six float64 copies of its block."""

ALPHA_COPIES = 1.5
"""Colour without its alpha and with it again, over the rows of a point step."""

REUSE = 1.2
"""Freed memory is reused, but pieces of other sizes do not fill it wholly."""


def pass_bytes(one: Pass, block_rows: int) -> int:
    """Return the bytes that a sweep takes: blocks, halo rows, what steps hold, and the largest temporaries.

    Steps take turns: each holds its rows and its result, but only one kernel is at work.
    """
    held = sum(_held_bytes(step, block_rows) for step in one.steps)
    scratch = max((_scratch_bytes(step, block_rows) for step in one.steps), default=0)
    return int(REUSE * (held + scratch)) + _frame_bytes(one, block_rows)


def edge_bytes(one: Pass, partition: Partition, block_rows: int) -> int:
    """Return the bytes of a slab's upper edge, and of the block that waits for it; see ``mpi_stage.edge``."""
    halo = one.halo_rows
    if partition.ranks == 1 or not goes_inside_first(partition.largest, halo, block_rows):
        return 0
    held = block_rows * one.after.row_bytes + 2 * halo * one.before.row_bytes
    return held + int(sum(_held_bytes(step, halo) for step in one.steps))


def measuring_bytes(ending: PlannedStep, block_rows: int) -> int:
    """Return the bytes of a measuring round's temporaries; none for what is no reduce step."""
    return int(_scratch_bytes(ending, block_rows)) if ending.operation.pattern is Pattern.REDUCE else 0


def _frame_bytes(one: Pass, block_rows: int) -> int:
    """Bytes around the steps: the block being read, and halo rows sent and received."""
    return (block_rows + 4 * one.halo_rows) * one.before.row_bytes


def _kernel_values(step: PlannedStep, block_rows: int) -> int:
    """Values of the block that a kernel gets, its halo included."""
    rows = block_rows + 2 * step.halo
    return rows * (step.before.columns + 2 * step.halo) * step.kernel_spec.channels


def _held_bytes(step: PlannedStep, block_rows: int) -> float:
    """Bytes that a step keeps from block to block, and its result while later steps use it."""
    result = (block_rows + step.halo) * step.after.row_bytes
    whole = block_rows * step.before.row_bytes
    if step.operation.stencil is None:
        return result + (ALPHA_COPIES * whole if step.keeps_alpha else 0)
    padded_rows = block_rows + 3 * step.halo
    padded = padded_rows * (step.before.columns + 2 * step.halo) * step.before.channels * step.before.itemsize
    return padded + result + (result if step.keeps_alpha else 0)


def _scratch_bytes(step: PlannedStep, block_rows: int) -> float:
    """Bytes of a kernel's temporaries."""
    if step.nodata is not None:
        each = float(MASKED_BYTES_PER_VALUE)
    else:
        each = step.operation.scratch_of(step.step.params, step.before)
    return each * _kernel_values(step, block_rows)
