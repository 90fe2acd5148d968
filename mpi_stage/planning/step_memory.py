"""How much memory the fused steps of a pass take on one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpi_stage.geometry.partition import goes_inside_first
from mpi_stage.operations.declaring.declaration import Pattern

if TYPE_CHECKING:
    from mpi_stage.geometry.partition import Partition
    from mpi_stage.planning.plan import Pass, PlannedStep

MASKED_BYTES_PER_VALUE = 48
"""Temporaries of a kernel that leaves pixels without data out: six float64 copies of its block."""

ALPHA_COPIES = 1.5
"""Colour without its alpha and with it again, over the rows of a point step."""

REUSE = 1.2
"""Freed memory is reused, but pieces of other sizes do not fill it wholly."""


def pass_bytes(one: Pass, block_rows: int, reading: int = 0) -> int:
    """Return the bytes that a sweep takes: blocks, halo rows, what steps hold, and the largest temporaries.

    Steps take turns: each keeps its rows, but only one kernel is at work, with the results of the steps
    before it in use and none yet of those after it. ``reading`` is what a block takes while it is read,
    when no kernel is at work.
    """
    kept = sum(_kept_bytes(step, block_rows) for step in one.steps)
    passed = most = 0.0
    for step in one.steps:
        passed += _result_bytes(step, block_rows)
        most = max(most, passed + _scratch_bytes(step, block_rows))
    return int(REUSE * kept + max(REUSE * most, reading)) + _frame_bytes(one, block_rows) + _table_bytes(one)


def edge_bytes(one: Pass, partition: Partition, block_rows: int) -> int:
    """Return the bytes of a slab's upper edge (``sweep/edge.py``), and of the block that waits for it."""
    halo = one.halo_rows
    if partition.ranks == 1 or not goes_inside_first(partition.largest, halo, block_rows):
        return 0
    held = block_rows * one.after.row_bytes + 2 * halo * one.before.row_bytes
    return held + int(sum(_kept_bytes(step, halo) + _result_bytes(step, halo) for step in one.steps))


def measuring_bytes(ending: PlannedStep, block_rows: int) -> int:
    """Return the bytes of a measuring round's temporaries; none for what is no reduce step."""
    return int(_scratch_bytes(ending, block_rows)) if ending.operation.pattern is Pattern.REDUCE else 0


def _table_bytes(one: Pass) -> int:
    """Bytes that kernels keep whatever their blocks."""
    declared = ((step, step.operation.table_bytes) for step in one.steps)
    return sum(of(step.step.params, step.kernel_spec) for step, of in declared if of is not None)


def _frame_bytes(one: Pass, block_rows: int) -> int:
    """Bytes around the steps: the block being read, and halo rows sent and received."""
    return (block_rows + 4 * one.halo_rows) * one.before.row_bytes


def _kernel_values(step: PlannedStep, block_rows: int) -> int:
    """Values of the block that a kernel gets, its halo included."""
    rows = block_rows + 2 * step.halo
    return rows * (step.before.columns + 2 * step.halo) * step.kernel_spec.channels


def _kept_bytes(step: PlannedStep, block_rows: int) -> float:
    """Bytes that a step keeps from block to block."""
    if step.operation.stencil is None:
        return 0.0
    padded_rows = block_rows + 3 * step.halo
    return padded_rows * (step.before.columns + 2 * step.halo) * step.before.channels * step.before.itemsize


def _result_bytes(step: PlannedStep, block_rows: int) -> float:
    """Bytes of a step's result, in use while later steps work on it, with the alpha that goes around."""
    result = (block_rows + step.halo) * step.after.row_bytes
    if not step.keeps_alpha:
        return result
    return result + (
        ALPHA_COPIES * block_rows * step.before.row_bytes if step.operation.stencil is None else result
    )


def _scratch_bytes(step: PlannedStep, block_rows: int) -> float:
    """Bytes of a kernel's temporaries."""
    if step.nodata is not None:
        each = float(MASKED_BYTES_PER_VALUE)
    else:
        each = step.operation.scratch_of(step.step.params, step.before)
    return each * _kernel_values(step, block_rows)
