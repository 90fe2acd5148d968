"""The passes of a plan, what is measured between them, and the global steps that they end with."""

from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mpi_stage.collective.reduction import join
from mpi_stage.collective.transfer import spread
from mpi_stage.engine.hands import Hands, Progress
from mpi_stage.engine.output import Output
from mpi_stage.formats.ports import Sink, Source
from mpi_stage.image import Pixels
from mpi_stage.operations.declaring.declaration import Measured, Pattern
from mpi_stage.planning.between import Between, Origin, between
from mpi_stage.planning.plan import Pass, Plan, PlannedStep
from mpi_stage.rows.context import GlobalStep, RankContext
from mpi_stage.rows.digest import RowDigest
from mpi_stage.rows.slab import RowReader, Slab
from mpi_stage.sweep.measure import Measurement
from mpi_stage.sweep.sweep import blocks
from mpi_stage.sweep.tilewise import rows_of, tiles_to_measure

if TYPE_CHECKING:
    from mpi_stage.sweep.band_keeper import BandKeeper


class Engine:
    """One rank's part in one plan; every rank makes the same calls in the same order.

    Attributes
    ----------
    measured: what the reduce steps have found, in their order; the same on every rank.
    told: what global steps have to tell, by the operation's name.
    memory: the highest memory seen.
    digest: of this rank's rows of the result, None where none was asked for.

    """

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
        self._hands = Hands(context, plan, scratch=scratch, progress=progress, bands=bands)
        self._context, self._clock, self._plan = context, context.clock, plan
        self._given = given
        self.measured, self.memory = self._hands.measured, self._hands.memory
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.digest: RowDigest | None = None

    @property
    def rows(self) -> tuple[int, int]:
        """Rows that this rank has done, and that it is to do, over all passes."""
        return self._hands.done, self._hands.total

    @property
    def spilled_bytes(self) -> int:
        """Bytes written to scratch instead of being kept in memory."""
        return self._hands.spilled_bytes

    def run(self, source: Source, sink: Sink, *, digest: bool) -> None:
        """Filter ``source`` into ``sink``; on return every rank's part is in the finished file."""
        self.digest = RowDigest(self._hands.own(self._plan.after).first) if digest else None
        with closing(self._hands):
            reader = self._result(source)
            Output(self._hands, sink, self.digest).write(self._plan.passes[-1], reader)
            # Freed blocks are kept: this sees those for which the last look came too early.
            self.memory.sample(always=True)

    def _result(self, source: Source) -> RowReader:
        """Carry out all passes but the last; return a reader of what that one starts from."""
        header, passes, deal = source.header, self._plan.passes, self._plan.partition
        origin = Origin.of_input(
            divisible=header.divisible,
            rereadable=header.rereadable,
            windowed=header.windowed,
            ranks=self._context.comm.size,
        )
        reader: RowReader = self._dealt(source) if origin.slab else source
        for one, lies in zip(passes, between(passes, origin, deal), strict=False):
            reader = self._intermediate(one, reader, lies)
        return reader

    def _dealt(self, source: Source) -> Slab:
        """Return a slab of this rank's rows of a source that only rank 0 can read."""
        slab = self._hands.slab(self._plan.before)
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
            self._hands.tick(self._hands.own(one.before).height)
        if measurement:
            self._measure(one, reader, measurement)
        if one.ending and pattern is Pattern.GLOBAL:
            return self._collective(one.ending, reader, lies)
        return reader

    def _keep(self, one: Pass, reader: RowReader, measurement: Measurement | None) -> Slab:
        """Sweep a pass into a slab; the first measuring round rides on the sweep."""
        earlier, slab = self._hands.slabs, self._hands.slab(one.after)

        def take(first: int, rows: Pixels) -> None:
            with self._clock.phase("write"):
                slab.write_rows(first, rows)
            if measurement:
                measurement.add(first, rows)

        self._hands.sweep(one, reader, take)
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
        slab = self._hands.own(one.after)
        image = tiles_to_measure(one.ending, reader) if one.ending else None
        if image is not None:
            for rows in rows_of(image, slab, self._hands.tick):
                with self._clock.phase("compute"):
                    measurement.add(0, rows)
            return
        for first, rows in blocks(one.after, slab, reader, self._plan.block_rows):
            with self._clock.phase("compute"):
                measurement.add(first, rows)
            self._hands.tick(len(rows))

    def _collective(self, ending: PlannedStep, reader: RowReader, lies: Between) -> RowReader:
        """Hand this rank's rows to a global step."""
        name = ending.operation.collective
        work = getattr(import_module(f"mpi_stage.collective.{name}"), str(name))
        step = GlobalStep(
            context=self._context,
            partition=self._plan.partition(ending.before),
            after_partition=self._plan.partition(ending.after),
            rows=self._hands.own(ending.before),
            reader=reader,
            before=ending.before,
            after=ending.after,
            params=ending.step.params,
            block_rows=self._plan.block_rows,
            slab=self._hands.slab,
            operation=ending.operation,
            shared=lies.reads.shared,
            travels=lies.travels,
            watch=self.memory.sample,
        )
        made: RowReader = work(step)
        self.told.append((ending.operation.name, step.found))
        return made
