"""What the ranks of test_late_neighbour run: rank 0 sends no halo rows before rank 1 has filtered some."""

from dataclasses import replace

import numpy as np
from mpi4py import MPI

from mpi_stage.formats.memory import ArraySource
from mpi_stage.geometry.partition import Partition
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.plan import Pass
from mpi_stage.planning.planned_steps import plan_steps
from mpi_stage.rows.context import RankContext
from mpi_stage.rows.halo import HaloSwap
from mpi_stage.sweep.sweep import sweep

WORLD = MPI.COMM_WORLD
FILTERED_TAG = 7
BLOCK_ROWS = 16
SPEC = ImageSpec(160, 50, 3, "uint8")
PIPELINE = "gaussian:sigma=1 box:size=3"


def telling(step):
    """Return a step whose kernel tells rank 0 each time that it has filtered something."""
    kernel = step.operation.stencil

    def told(padded, params):
        rows = kernel(padded, params)
        WORLD.isend(len(rows), dest=0, tag=FILTERED_TAG)
        return rows

    return replace(step, step=replace(step.step, operation=replace(step.operation, stencil=told, into=None)))


def filtered(image, steps, comm):
    """Return this rank's rows after one pass."""
    context, source, partition = RankContext(comm), ArraySource(image), Partition(SPEC.rows, comm.size)
    one = Pass(SPEC, SPEC, tuple(steps), None)
    slab, out, seen = partition.slab(comm.rank), np.zeros_like(image), []
    swap = HaloSwap(context, partition, SPEC, one.halo_rows, source.read_rows, periodic=False)

    def take(first, rows):
        seen.append(first)
        out[first : first + len(rows)] = rows

    sweep(
        one,
        slab,
        source,
        swap,
        take,
        block_rows=BLOCK_ROWS,
        measured=(),
        clock=context.clock,
        tick=lambda _rows: None,
    )
    assert seen == sorted(seen)
    return out[slab.first : slab.end]


def main():
    """Filter with a neighbour that waits for the interior, and alone, and compare."""
    image = np.random.default_rng(1).integers(0, 256, (160, 50, 3)).astype(np.uint8)
    steps = list(plan_steps(parse(PIPELINE), SPEC))
    if WORLD.rank == 0:
        assert WORLD.recv(source=1, tag=FILTERED_TAG) > 0
        mine = filtered(image, steps, WORLD)
    else:
        mine = filtered(image, [telling(step) for step in steps], WORLD)
    alone = filtered(image, steps, MPI.COMM_SELF)
    slab = Partition(SPEC.rows, WORLD.size).slab(WORLD.rank)
    assert mine.tobytes() == alone[slab.first : slab.end].tobytes()


if __name__ == "__main__":
    main()
