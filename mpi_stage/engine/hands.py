"""What one rank has in hand while a plan is carried out: its rows, its slabs, and its counts."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from mpi_stage.geometry.partition import Rows
from mpi_stage.image import ImageSpec
from mpi_stage.planning.plan import Pass, Plan
from mpi_stage.process.setup import PeakMemory
from mpi_stage.rows.context import RankContext
from mpi_stage.rows.halo import HaloSwap
from mpi_stage.rows.slab import RowReader, Slab
from mpi_stage.sweep.sweep import Take, sweep

if TYPE_CHECKING:
    from mpi_stage.operations.declaring.declaration import Measured
    from mpi_stage.sweep.band_keeper import BandKeeper

Progress = Callable[[int, int], None]
"""Called with the rows done and the rows to do on this rank, over all sweeps."""


class Hands:
    """One rank at work on one plan; to be closed in the end.

    Attributes
    ----------
    context: the rank.
    plan: what is carried out.
    bands: what keeps the bands of its output, None where there are none.
    memory: the highest memory seen.
    measured: what the reduce steps have found so far, in their order.
    done, total: rows that have been swept, and that are to be, over all passes.

    """

    def __init__(
        self,
        context: RankContext,
        plan: Plan,
        *,
        scratch: str,
        progress: Progress,
        bands: "BandKeeper | None",
    ) -> None:
        """Begin with nothing; ``scratch`` is the folder for slabs that do not fit in memory."""
        self.context, self.plan, self.bands = context, plan, bands
        self.memory = PeakMemory()
        self.measured: list[Measured] = []
        self.done, self.total = 0, _rows_to_sweep(plan, context.comm.rank)
        self._scratch, self._progress = scratch, progress
        self._slabs: list[Slab] = []
        self._resources = ExitStack()

    def close(self) -> None:
        """Give the slabs back; safe to call again."""
        self._resources.close()

    @property
    def spilled_bytes(self) -> int:
        """Bytes written to scratch instead of being kept in memory."""
        return sum(slab.spilled_bytes for slab in self._slabs)

    @property
    def slabs(self) -> tuple[Slab, ...]:
        """All slabs so far, in the order in which they were made."""
        return tuple(self._slabs)

    def own(self, spec: ImageSpec) -> Rows:
        """Return this rank's rows of an image of the plan."""
        return self.plan.partition(spec).slab(self.context.comm.rank)

    def slab(self, spec: ImageSpec, rows: Rows | None = None) -> Slab:
        """Return room for some rows of an image, this rank's if none are said; given back in the end."""
        wanted = self.own(spec) if rows is None else rows
        slab = Slab(spec, wanted, scratch=self._scratch, in_memory=self.plan.slabs_in_memory)
        self._resources.callback(slab.close)
        self._slabs.append(slab)
        return slab

    def tick(self, rows: int) -> None:
        """Count rows that have been swept, and tell of them."""
        self.done += rows
        self.memory.sample()
        self._progress(self.done, self.total)

    def sweep(self, one: Pass, reader: RowReader, take: Take, runs: Sequence[Rows] | None = None) -> None:
        """Send this rank's rows through a pass, or those of ``runs`` alone, which are whole bands.

        All ranks call this together: they swap halo rows.
        """
        partition = self.plan.partition(one.before)
        swap = HaloSwap(
            self.context, partition, one.before, one.halo_rows, reader.read_rows, periodic=one.periodic
        )
        sweep(
            one,
            self.own(one.before),
            reader,
            swap,
            take,
            block_rows=self.plan.block_rows,
            measured=self.measured,
            clock=self.context.clock,
            tick=self.tick,
            runs=runs,
            band_rows=self.bands.grid.height if self.bands and runs is not None else None,
        )


def _rows_to_sweep(plan: Plan, rank: int) -> int:
    """Return how many rows a rank reads over all sweeps, measuring rounds included."""
    rows = 0
    for one in plan.passes:
        rows += plan.partition(one.before).slab(rank).height
        if one.ending is not None and one.ending.operation.reduction is not None:
            reduction, params = one.ending.operation.reduction, one.ending.step.params
            rounds = len(reduction.rounds(one.ending.kernel_spec, params))
            rows += (rounds - 1) * plan.partition(one.after).slab(rank).height
    return rows
