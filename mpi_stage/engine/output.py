"""The last pass of a plan: into the sink, by every rank for its own rows or by rank 0 for all."""

import numpy as np

from mpi_stage.collective.seams import join_seams
from mpi_stage.collective.transfer import collect
from mpi_stage.engine.hands import Hands
from mpi_stage.formats.ports import BandSink, SeamSink, Sink, TileSink
from mpi_stage.geometry.partition import Rows
from mpi_stage.image import Pixels
from mpi_stage.planning.plan import Pass
from mpi_stage.rows.digest import RowDigest
from mpi_stage.rows.slab import RowReader
from mpi_stage.sweep.sweep import Take
from mpi_stage.sweep.tilewise import sweep_tiles, tiles_between


class Output:
    """One rank's part in writing the result; every rank makes the same calls in the same order."""

    def __init__(self, hands: Hands, sink: Sink, digest: RowDigest | None) -> None:
        """Prepare to write into ``sink``; ``digest`` gets this rank's rows of the result, if there is one."""
        self._hands, self._sink, self._digest = hands, sink, digest
        self._context, self._comm = hands.context, hands.context.comm

    def write(self, one: Pass, reader: RowReader) -> None:
        """Carry out the last pass; on return every rank's part is in the finished file."""
        if self._sink.plan.divisible:
            self._write_own(one, reader)
        else:
            self._write_by_one(one, reader)
        self._context.barrier()

    def _write_by_one(self, one: Pass, reader: RowReader) -> None:
        """Write by rank 0: its own rows as they are made, then those that the others have kept."""
        earlier, held = self._hands.slabs, self._hands.slab(one.after)
        if self._comm.rank == 0:
            self._sink.create()
            self._sink.open()
        write = self._sink.write_rows if self._comm.rank == 0 else held.write_rows
        self._hands.sweep(one, reader, lambda first, rows: self._take(write, first, rows))
        for slab in earlier:
            slab.close()
        collect(self._context, self._hands.plan.partition(one.after), self._sink, held)

    def _write_own(self, one: Pass, reader: RowReader) -> None:
        """Write this rank's own rows, and put the parts of all together."""
        sink = self._sink
        if self._comm.rank == 0:
            sink.create()
        self._context.barrier()
        sink.open()
        if not self._by_tiles(one, reader):
            runs = self._take_over()
            self._hands.sweep(one, reader, self._take_noting_bands, runs)
        if isinstance(sink, SeamSink):
            join_seams(self._context, self._hands.plan.partition(one.after), sink)
            self._hands.memory.sample(always=True)
        sizes = np.asarray(sink.end_part(), np.int64)
        self._note_bands()
        sink.assemble(self._all_sizes(sizes), self._comm.rank)

    def _all_sizes(self, sizes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[list[int]]:
        """Return what every rank's ``end_part`` has returned."""
        with self._context.clock.phase("wait"):
            counts = self._comm.allgather(len(sizes))
            joined = np.empty(sum(counts), np.int64)
            self._comm.Allgatherv(sizes, (joined, counts))
        bounds = np.cumsum([0, *counts])
        return [joined[bounds[rank] : bounds[rank + 1]].tolist() for rank in range(self._comm.size)]

    def _by_tiles(self, one: Pass, reader: RowReader) -> bool:
        """Carry the last pass out tile by tile if that can be; a digest and bands need whole rows."""
        hands, sink = self._hands, self._sink
        if self._digest is not None or hands.bands is not None or not isinstance(sink, TileSink):
            return False
        image = tiles_between(one, reader, sink)
        if image is None:
            return False
        slab, clock = hands.own(one.before), self._context.clock
        sweep_tiles(one, image, sink, slab, measured=hands.measured, clock=clock, tick=hands.tick)
        return True

    def _take(self, write: Take, first: int, rows: Pixels) -> None:
        """Write rows of the result, and digest them."""
        self._hands.memory.sample()
        if self._digest is not None:
            self._digest.update(rows, first)
        write(first, rows)

    def _take_noting_bands(self, first: int, rows: Pixels) -> None:
        self._take(self._sink.write_rows, first, rows)
        self._note_bands()

    def _take_over(self) -> list[Rows] | None:
        """Take over the bands of earlier attempts; return the rows that are left, None where all are."""
        bands, sink = self._hands.bands, self._sink
        if bands is None or not isinstance(sink, BandSink):
            return None
        runs = bands.take_over(sink, self._comm.rank, self._digest)
        self._context.barrier()
        if self._comm.rank == 0:
            bands.forget_earlier()
        whole = self._hands.own(self._hands.plan.after)
        self._hands.tick(whole.height - sum(run.height for run in runs))
        return runs

    def _note_bands(self) -> None:
        if self._hands.bands is not None and isinstance(self._sink, BandSink):
            self._hands.bands.note(self._sink)
