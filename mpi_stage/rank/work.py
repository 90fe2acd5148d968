"""What one rank has in hand while it carries out a request, and what it makes of that."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.contract import Request
from mpi_stage.formats.ports import BandSink, Sink
from mpi_stage.formats.sinks import create_sink
from mpi_stage.objects.address import is_object
from mpi_stage.rank.ends import sink_options
from mpi_stage.rank.planned import Planned
from mpi_stage.rows.context import RankContext

if TYPE_CHECKING:
    from mpi_stage.bands.places import BandPlaces
    from mpi_stage.objects.bucket import Bucket
    from mpi_stage.sweep.band_keeper import BandKeeper


@dataclass(frozen=True)
class Work:
    """One request on one rank.

    Attributes
    ----------
    context: the rank.
    request: what is to be done.
    planned: how, the same on every rank.
    bucket: what its objects are read and written with; None where there are none.
    files_before: bytes that this process had read from and written to files before.

    """

    context: RankContext
    request: Request
    planned: Planned
    bucket: "Bucket | None"
    files_before: tuple[int, int]

    def create_sink(self, scratch: str) -> Sink:
        """Return the sink, which has touched nothing yet; ``scratch`` is a folder for its parts."""
        plan, header, _, _ = self.planned
        return create_sink(
            self.request.output,
            self.request.output_name,
            plan.after,
            header.metadata,
            header,
            sink_options(self.request, self.bucket),
            scratch,
            self.context.clock,
        )

    def keeper(self, sink: Sink) -> "BandKeeper | None":
        """Return what keeps this rank's bands; None where there are none."""
        wanted, rows = self.request.bands, self.planned.sink.band_rows
        if wanted is None or rows is None or not isinstance(sink, BandSink):
            return None
        from mpi_stage.bands.grid import BandGrid  # noqa: PLC0415 (start-up time)
        from mpi_stage.sweep.band_keeper import BandKeeper, bands_key  # noqa: PLC0415 (as above)

        plan = self.planned.plan
        grid = BandGrid(plan.after.rows, rows)
        slab = plan.partition(plan.after).slab(self.context.comm.rank)
        key = bands_key(plan.hash, wanted.generation, sink.stored_as, grid)
        return BandKeeper(grid, slab, key, self._places(), wanted.folder, wanted.earlier)

    def _places(self) -> "BandPlaces":
        """Return where bands are kept: beside the output."""
        if self.bucket is not None and is_object(self.request.output):
            from mpi_stage.bands.in_bucket import BandsInBucket  # noqa: PLC0415 (start-up time)

            return BandsInBucket(self.bucket)
        from mpi_stage.bands.places import BandsInFolders  # noqa: PLC0415 (start-up time)

        return BandsInFolders()
