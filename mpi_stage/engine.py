"""A plan carried out by all ranks together: passes, measurements, collectives, and one output."""

from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import numpy as np
from mpi4py import MPI

from mpi_stage.collective.context import GlobalStep
from mpi_stage.collective.reduction import join
from mpi_stage.digest import RowDigest
from mpi_stage.errors import PipelineError
from mpi_stage.formats.base import Sink, Source
from mpi_stage.halo import HaloSwap, Traffic
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.declaration import Pattern
from mpi_stage.partition import Rows
from mpi_stage.plan import Pass, Plan, PlannedStep
from mpi_stage.process import PeakMemory
from mpi_stage.slab import RowReader, Slab
from mpi_stage.sweep import Take, sweep
from mpi_stage.timing import PhaseClock
from mpi_stage.transfer import collect, spread

Progress = Callable[[int, int], None]
"""Called with the rows done and the rows to do on this rank, over all sweeps."""


class Engine:
    """One rank's part in one plan; every rank makes the same calls in the same order."""

    def __init__(
        self, comm: MPI.Intracomm, plan: Plan, *, scratch: str, clock: PhaseClock, progress: Progress
    ) -> None:
        """Prepare; ``scratch`` is the folder for slabs that do not fit in memory."""
        self._comm = comm
        self._plan = plan
        self._scratch = scratch
        self._clock = clock
        self._progress = progress
        self._rows_done = 0
        self._rows_total = _sweeps(plan) * plan.partition(plan.before).slab(comm.rank).count
        self._resources = ExitStack()
        self.measured: list[Any] = []
        self.traffic = Traffic()
        self.memory = PeakMemory()
        self.digest: RowDigest | None = None
        self.spilled_bytes = 0

    def run(self, source: Source, sink: Sink, *, digest: bool) -> None:
        """Filter ``source`` into ``sink``; on return every rank's part is in the finished file."""
        with self._resources:
            self.digest = RowDigest() if digest else None
            reader = self._first_reader(source)
            rereadable = source.header.divisible and source.header.layout.compression == "none"
            for one in self._plan.passes[:-1]:
                reader = self._intermediate(one, reader, rereadable=rereadable)
                rereadable = True
            self._write(self._plan.passes[-1], reader, sink)

    def _first_reader(self, source: Source) -> RowReader:
        """Return a reader of this rank's rows: the source itself, or a slab dealt out by rank 0."""
        if source.header.divisible or self._comm.size == 1:
            return source
        slab = self._slab(self._plan.before)
        spread(self._comm, self._plan.partition(self._plan.before), source, slab, self._clock, self.traffic)
        return slab

    def _intermediate(self, one: Pass, reader: RowReader, *, rereadable: bool) -> RowReader:
        """Carry out a pass that is not the last; return a reader of what the next one starts from."""
        if not one.steps and rereadable:
            slab = reader
            self._measure(one, reader, swept=False)
        else:
            written = self._slab(one.after)
            state = self._first_state(one)
            self._sweep(one, reader, lambda first, rows: self._take_in(written, one, state, first, rows))
            self.spilled_bytes += written.spilled_bytes
            slab = written
            self._measure(one, slab, swept=True, state=state)
        if one.ending is not None and one.ending.operation.pattern is Pattern.GLOBAL:
            return self._collective(one.ending, slab)
        return slab

    def _write(self, one: Pass, reader: RowReader, sink: Sink) -> None:
        """Carry out the last pass, into the sink."""
        if sink.plan.divisible:
            self._write_parts(one, reader, sink)
            return
        held = self._slab(one.after)
        if self._comm.rank == 0:
            sink.create()
            sink.open()
        write = sink.write_rows if self._comm.rank == 0 else held.write_rows
        self._sweep(one, reader, lambda first, rows: self._output(write, first, rows))
        partition = self._plan.partition(one.after)
        collect(self._comm, partition, sink, held, self._clock, self.traffic)
        self._barrier()

    def _write_parts(self, one: Pass, reader: RowReader, sink: Sink) -> None:
        if self._comm.rank == 0:
            sink.create()
        self._barrier()
        sink.open()
        self._sweep(one, reader, lambda first, rows: self._output(sink.write_rows, first, rows))
        sizes = np.asarray(sink.end_part(), np.int64)
        with self._clock.phase("wait"):
            counts = self._comm.allgather(len(sizes))
            joined = np.empty(sum(counts), np.int64)
            self._comm.Allgatherv(sizes, (joined, counts))
        bounds = np.cumsum([0, *counts])
        parts = [joined[bounds[rank] : bounds[rank + 1]].tolist() for rank in range(self._comm.size)]
        sink.assemble(parts, self._comm.rank)
        self._barrier()

    def _sweep(self, one: Pass, reader: RowReader, take: Take) -> None:
        slab = self._plan.partition(one.before).slab(self._comm.rank)
        swap = HaloSwap(
            self._comm,
            self._plan.partition(one.before),
            one.before,
            one.halo_rows,
            reader.read_rows,
            periodic=one.periodic,
            traffic=self.traffic,
            clock=self._clock,
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
        )

    def _tick(self, rows: int) -> None:
        self._rows_done += rows
        self.memory.sample()
        self._progress(self._rows_done, self._rows_total)

    def _output(self, write: Take, first: int, rows: Pixels) -> None:
        self.memory.sample()
        if self.digest is not None:
            self.digest.update(rows)
        write(first, rows)

    def _take_in(self, slab: Slab, one: Pass, state: Pixels | None, first: int, rows: Pixels) -> None:
        with self._clock.phase("write"):
            slab.write_rows(first, rows)
        if one.ending is not None and state is not None:
            self._update(one.ending, 0, state, first, rows, None)

    def _first_state(self, one: Pass) -> Pixels | None:
        """Return the state of the first measuring round, which rides on the pass that makes the rows."""
        if one.ending is None or one.ending.operation.reduction is None:
            return None
        rounds = one.ending.operation.reduction.rounds(one.ending.kernel_spec)
        return rounds[0].start(one.ending.kernel_spec, one.ending.step.params, None)

    def _measure(self, one: Pass, reader: RowReader, *, swept: bool, state: Pixels | None = None) -> None:
        """Carry out the measuring rounds of a reduce step; the first has been swept if ``swept``."""
        ending = one.ending
        if ending is None or ending.operation.reduction is None:
            return
        found = None
        for number, round_ in enumerate(ending.operation.reduction.rounds(ending.kernel_spec)):
            if number or not swept or state is None:
                state = round_.start(ending.kernel_spec, ending.step.params, found)
                self._look(ending, number, state, reader, found)
            joined = join(self._comm, round_, state, self._clock)
            found = round_.finish(joined, ending.kernel_spec, ending.step.params, found)
        self.measured.append(found)

    def _look(self, ending: PlannedStep, number: int, state: Pixels, reader: RowReader, found: Any) -> None:  # noqa: ANN401  (what a round found)
        """Send this rank's rows through one measuring round."""
        slab = self._plan.partition(ending.before).slab(self._comm.rank)
        buffer = ending.before.empty(min(self._plan.block_rows, max(1, slab.count)))
        for first in range(slab.first, slab.end, len(buffer)):
            rows = buffer[: min(len(buffer), slab.end - first)]
            reader.read_rows(first, rows)
            self._update(ending, number, state, first, rows, found)
            self._tick(len(rows))

    def _update(
        self, ending: PlannedStep, number: int, state: Pixels, first: int, rows: Pixels, found: Any
    ) -> None:  # noqa: ANN401
        if ending.operation.reduction is None:
            raise PipelineError(f"{ending.operation.name} has no reduction; its declaration is wrong")
        seen = np.ascontiguousarray(rows[..., :-1]) if ending.keeps_alpha else rows
        with self._clock.phase("compute"):
            round_ = ending.operation.reduction.rounds(ending.kernel_spec)[number]
            round_.update(state, seen, first, ending.step.params, found)

    def _collective(self, ending: PlannedStep, reader: RowReader) -> RowReader:
        """Hand this rank's rows to a global step."""
        name = ending.operation.collective
        work = getattr(import_module(f"mpi_stage.collective.{name}"), str(name))
        partition = self._plan.partition(ending.before)
        step = GlobalStep(
            comm=self._comm,
            partition=partition,
            rows=partition.slab(self._comm.rank),
            reader=reader,
            before=ending.before,
            after=ending.after,
            params=ending.step.params,
            block_rows=self._plan.block_rows,
            clock=self._clock,
            traffic=self.traffic,
            scratch=self._scratch,
            in_memory=self._plan.slabs_in_memory,
        )
        made: RowReader = work(step)
        return made

    def _slab(self, spec: ImageSpec) -> Slab:
        """Return room for this rank's rows of an image; given back when the run ends."""
        rows: Rows = self._plan.partition(spec).slab(self._comm.rank)
        slab = Slab(spec, rows, scratch=self._scratch, in_memory=self._plan.slabs_in_memory)
        self._resources.callback(slab.close)
        return slab

    def _barrier(self) -> None:
        with self._clock.phase("wait"):
            self._comm.Barrier()


def _sweeps(plan: Plan) -> int:
    """Return how many times a rank's rows are swept."""
    sweeps = len(plan.passes)
    for one in plan.passes:
        if one.ending is not None and one.ending.operation.reduction is not None:
            sweeps += len(one.ending.operation.reduction.rounds(one.ending.kernel_spec)) - 1
    return sweeps
