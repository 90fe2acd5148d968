"""A plan carried out by all ranks together: passes, measurements, collectives, and one output."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_stage.collective.reduction import join
from mpi_stage.collective.seams import join_seams
from mpi_stage.collective.transfer import collect, spread
from mpi_stage.formats.base import BandSink, SeamSink, Sink, Source, TileSink
from mpi_stage.geometry.partition import Rows
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.declaring.declaration import Measured, Pattern
from mpi_stage.planning.between import Between, Origin, between
from mpi_stage.planning.plan import Pass, Plan, PlannedStep
from mpi_stage.process.setup import PeakMemory
from mpi_stage.rows.context import GlobalStep, RankContext
from mpi_stage.rows.digest import RowDigest
from mpi_stage.rows.halo import HaloSwap
from mpi_stage.rows.slab import RowReader, Slab
from mpi_stage.sweep.measure import Measurement
from mpi_stage.sweep.sweep import Take, blocks, sweep
from mpi_stage.sweep.tilewise import rows_of, sweep_tiles, tiles_between, tiles_to_measure

if TYPE_CHECKING:
    from mpi_stage.sweep.band_keeper import BandKeeper

Progress = Callable[[int, int], None]
"""Called with the rows done and the rows to do on this rank, over all sweeps."""


class Engine:
    """One rank's part in one plan; every rank makes the same calls in the same order."""

    def __init__(
        self,
        context: RankContext,
        plan: Plan,
        *,
        scratch: str,
        progress: Progress,
        bands: "BandKeeper | None" = None,
        given: Sequence[Measured | None] = (),
    ) -> None:
        """Prepare; ``scratch`` is the folder for slabs that do not fit in memory.

        ``bands`` keeps the bands of an output whose sink is a :class:`BandSink`. ``given`` is what the first
        reduce steps find where that is known already, None for what is to be measured.
        """
        self._context = context
        self._comm = context.comm
        self._clock = context.clock
        self._plan = plan
        self._scratch = scratch
        self._bands, self._given = bands, given
        self._progress = progress
        self._rows_done = 0
        self._rows_total = _rows_to_sweep(plan, context.comm.rank)
        self._resources = ExitStack()
        self.measured: list[Measured] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.memory = PeakMemory()
        self.digest: RowDigest | None = None
        self._slabs: list[Slab] = []

    @property
    def rows(self) -> tuple[int, int]:
        """Rows that this rank has done, and that it is to do, over all passes."""
        return self._rows_done, self._rows_total

    def run(self, source: Source, sink: Sink, *, digest: bool) -> None:
        """Filter ``source`` into ``sink``; on return every rank's part is in the finished file."""
        with self._resources:
            first = self._plan.partition(self._plan.after).slab(self._comm.rank).first
            self.digest = RowDigest(first) if digest else None
            header, passes = source.header, self._plan.passes
            origin = Origin.of_input(
                divisible=header.divisible,
                rereadable=header.rereadable,
                windowed=header.windowed,
                ranks=self._comm.size,
            )
            reader: RowReader = self._dealt(source) if origin.slab else source
            for one, lies in zip(passes, between(passes, origin, self._plan.partition), strict=False):
                reader = self._intermediate(one, reader, lies)
            self._write(self._plan.passes[-1], reader, sink)
            # Freed blocks are kept: this sees those for which the last look came too early.
            self.memory.sample(always=True)

    @property
    def spilled_bytes(self) -> int:
        """Bytes written to scratch instead of being kept in memory."""
        return sum(slab.spilled_bytes for slab in self._slabs)

    def _dealt(self, source: Source) -> Slab:
        """Return a slab of this rank's rows of a source that only rank 0 can read."""
        slab = self._slab(self._plan.before)
        spread(self._context, self._plan.partition(self._plan.before), source, slab)
        return slab

    def _intermediate(self, one: Pass, reader: RowReader, lies: Between) -> RowReader:
        """Carry out a pass that is not the last; return a reader of what the next one starts from."""
        pattern = one.ending.operation.pattern if one.ending else None
        measurement = Measurement(one.ending) if one.ending and pattern is Pattern.REDUCE else None
        if lies.kept:
            reader = self._keep(one, reader, measurement)
        elif measurement:
            self._look(one, reader, measurement)
        else:
            self._tick(self._plan.partition(one.before).slab(self._comm.rank).height)
        if measurement:
            self._measure(one, reader, measurement)
        if one.ending and pattern is Pattern.GLOBAL:
            return self._collective(one.ending, reader, lies)
        return reader

    def _keep(self, one: Pass, reader: RowReader, measurement: Measurement | None) -> Slab:
        """Sweep a pass into a slab; the first measuring round rides on the sweep."""
        earlier = list(self._slabs)
        slab = self._slab(one.after)

        def take(first: int, rows: Pixels) -> None:
            with self._clock.phase("write"):
                slab.write_rows(first, rows)
            if measurement:
                measurement.add(first, rows)

        self._sweep(one, reader, take)
        for one_before in earlier:
            one_before.close()
        return slab

    def _measure(self, one: Pass, reader: RowReader, measurement: Measurement) -> None:
        """Carry a measurement, whose first round has seen all rows, to its end, unless it is known."""
        number = len(self.measured)
        known = self._given[number] if number < len(self._given) else None
        if known is not None:
            self.measured.append(known)
            return
        while True:
            measurement.finish(join(self._context, measurement.round, measurement.state))
            if not measurement.pending:
                break
            self._look(one, reader, measurement)
        self.measured.append(measurement.found)

    def _look(self, one: Pass, reader: RowReader, measurement: Measurement) -> None:
        """Send this rank's rows through one measuring round."""
        slab = self._plan.partition(one.after).slab(self._comm.rank)
        image = tiles_to_measure(one.ending, reader) if one.ending else None
        if image is not None:
            for rows in rows_of(image, slab, self._tick):
                with self._clock.phase("compute"):
                    measurement.add(0, rows)
            return
        for first, rows in blocks(one.after, slab, reader, self._plan.block_rows):
            with self._clock.phase("compute"):
                measurement.add(first, rows)
            self._tick(len(rows))

    def _write(self, one: Pass, reader: RowReader, sink: Sink) -> None:
        """Carry out the last pass, into the sink."""
        if sink.plan.divisible:
            self._write_parts(one, reader, sink)
            return
        earlier = list(self._slabs)
        held = self._slab(one.after)
        if self._comm.rank == 0:
            sink.create()
            sink.open()
        write = sink.write_rows if self._comm.rank == 0 else held.write_rows
        self._sweep(one, reader, lambda first, rows: self._output(write, first, rows))
        for one_before in earlier:
            one_before.close()
        partition = self._plan.partition(one.after)
        collect(self._context, partition, sink, held)
        self._context.barrier()

    def _write_parts(self, one: Pass, reader: RowReader, sink: Sink) -> None:
        if self._comm.rank == 0:
            sink.create()
        self._context.barrier()
        sink.open()
        if not self._by_tiles(one, reader, sink):
            runs = self._take_over(sink)
            self._sweep(
                one, reader, lambda first, rows: self._output(sink.write_rows, first, rows, sink), runs
            )
        if isinstance(sink, SeamSink):
            join_seams(self._context, self._plan.partition(one.after), sink)
            self.memory.sample(always=True)
        sizes = np.asarray(sink.end_part(), np.int64)
        self._note_bands(sink)
        with self._clock.phase("wait"):
            counts = self._comm.allgather(len(sizes))
            joined = np.empty(sum(counts), np.int64)
            self._comm.Allgatherv(sizes, (joined, counts))
        bounds = np.cumsum([0, *counts])
        parts = [joined[bounds[rank] : bounds[rank + 1]].tolist() for rank in range(self._comm.size)]
        sink.assemble(parts, self._comm.rank)
        self._context.barrier()

    def _by_tiles(self, one: Pass, reader: RowReader, sink: Sink) -> bool:
        """Carry the last pass out tile by tile if that can be; a digest and bands need whole rows."""
        if self.digest is not None or self._bands is not None or not isinstance(sink, TileSink):
            return False
        image = tiles_between(one, reader, sink)
        if image is None:
            return False
        slab = self._plan.partition(one.before).slab(self._comm.rank)
        sweep_tiles(one, image, sink, slab, measured=self.measured, clock=self._clock, tick=self._tick)
        return True

    def _take_over(self, sink: Sink) -> list[Rows] | None:
        """Take over the bands of earlier attempts; return the rows that are left, None where all are."""
        if self._bands is None or not isinstance(sink, BandSink):
            return None
        runs = self._bands.take_over(sink, self._comm.rank, self.digest)
        self._context.barrier()
        if self._comm.rank == 0:
            self._bands.forget_earlier()
        slab = self._plan.partition(self._plan.after).slab(self._comm.rank)
        self._tick(slab.height - sum(run.height for run in runs))
        return runs

    def _note_bands(self, sink: Sink) -> None:
        if self._bands is not None and isinstance(sink, BandSink):
            self._bands.note(sink)

    def _sweep(self, one: Pass, reader: RowReader, take: Take, runs: Sequence[Rows] | None = None) -> None:
        slab = self._plan.partition(one.before).slab(self._comm.rank)
        swap = HaloSwap(
            self._context,
            self._plan.partition(one.before),
            one.before,
            one.halo_rows,
            reader.read_rows,
            periodic=one.periodic,
        )
        sweep(
            one,
            slab,
            reader,
            swap,
            take,
            block_rows=self._plan.block_rows,
            measured=self.measured,
            clock=self._clock,
            tick=self._tick,
            runs=runs,
            band_rows=self._bands.grid.height if self._bands and runs is not None else None,
        )

    def _tick(self, rows: int) -> None:
        self._rows_done += rows
        self.memory.sample()
        self._progress(self._rows_done, self._rows_total)

    def _output(self, write: Take, first: int, rows: Pixels, sink: Sink | None = None) -> None:
        self.memory.sample()
        if self.digest is not None:
            self.digest.update(rows, first)
        write(first, rows)
        if sink is not None:
            self._note_bands(sink)

    def _collective(self, ending: PlannedStep, reader: RowReader, lies: Between) -> RowReader:
        """Hand this rank's rows to a global step."""
        name = ending.operation.collective
        work = getattr(import_module(f"mpi_stage.collective.{name}"), str(name))
        partition = self._plan.partition(ending.before)
        step = GlobalStep(
            context=self._context,
            partition=partition,
            after_partition=self._plan.partition(ending.after),
            rows=partition.slab(self._comm.rank),
            reader=reader,
            before=ending.before,
            after=ending.after,
            params=ending.step.params,
            block_rows=self._plan.block_rows,
            slab=self._room,
            operation=ending.operation,
            shared=lies.reads.shared,
            travels=lies.travels,
            watch=self.memory.sample,
        )
        made: RowReader = work(step)
        self.told.append((ending.operation.name, step.found))
        return made

    def _slab(self, spec: ImageSpec) -> Slab:
        """Return room for this rank's rows of an image; given back when the run ends."""
        return self._room(spec, self._plan.partition(spec).slab(self._comm.rank))

    def _room(self, spec: ImageSpec, rows: Rows) -> Slab:
        slab = Slab(spec, rows, scratch=self._scratch, in_memory=self._plan.slabs_in_memory)
        self._resources.callback(slab.close)
        self._slabs.append(slab)
        return slab


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
