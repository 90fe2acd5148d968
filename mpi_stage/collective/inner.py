"""A streamed pass inside a global step, which leaves the step's own rows as they are."""

from collections.abc import Callable, Sequence

from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.inner import inner_block_rows
from mpi_stage.planning.plan import Pass, PlannedStep
from mpi_stage.rows.context import GlobalStep
from mpi_stage.rows.halo import HaloSwap
from mpi_stage.rows.slab import Slab
from mpi_stage.sweep.sweep import sweep

Look = Callable[[Pixels], None]


def carry_out(step: GlobalStep, inner: Sequence[PlannedStep], look: Look | None = None) -> Slab:
    """Send this rank's rows through point and stencil steps; return what comes out, in a slab.

    All ranks call this together. ``look`` is shown each block that comes out.
    """
    one = Pass(step.before, inner[-1].after, tuple(inner), None)
    slab = step.slab(one.after, step.rows)
    swap = HaloSwap(
        step.context, step.partition, step.before, one.halo_rows, step.reader.read_rows, periodic=one.periodic
    )

    def take(first: int, rows: Pixels) -> None:
        with step.context.clock.phase("write"):
            slab.write_rows(first, rows)
        if look is not None:
            look(rows)

    sweep(
        one,
        step.rows,
        step.reader,
        swap,
        take,
        block_rows=min(step.block_rows, inner_block_rows(step.before, one.halo_rows)),
        measured=(),
        clock=step.context.clock,
        tick=lambda _rows: step.watch(),
    )
    return slab
