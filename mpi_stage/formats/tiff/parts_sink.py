"""One TIFF object written by many ranks at once, with the same bytes for any number of them."""

from collections.abc import Sequence

import numpy as np

from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.parts_append import PartAppender
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.row_order import check_follows
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.tables import segment_tables
from mpi_stage.formats.tiff.tags import front_bytes, tiff_front
from mpi_stage.formats.tiff.write_coded import CodedWriter
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import Pixels
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.parts import PartStream, Uploads, clear, publish_behind, refuse_existing
from mpi_stage.process.timing import PhaseClock


class TiffPartsSink:
    """A sink on one TIFF object: each rank uploads its segments in parts, rank 0 the front.

    Parts are named by the first row of their rank and their number, so that their names are in the
    order of the file. Segments are sent in that order too, uncompressed ones as well: what is composed
    has no holes to be filled later.
    """

    def __init__(
        self,
        url: str,
        layout: TiffLayout,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        uploads: Uploads,
        clock: PhaseClock,
        threads: int = 1,
    ) -> None:
        """Prepare to make the object ``url``; touches nothing. All ranks must pass the same metadata."""
        self.plan = plan
        self._final, self._uploads, self._clock = ObjectAddress.parse(url), uploads, clock
        self._layout, self._metadata = layout, metadata
        self._pool = TilePool(threads)
        self._stream: PartStream | None = None
        self._writer: CodedWriter | None = None
        self._next = 0

    def create(self) -> None:
        """Raise OutputExistsError where the object is there; remove parts of an attempt of this name."""
        refuse_existing(self._uploads.bucket, self._final)
        clear(self._uploads)

    def open(self) -> None:
        """Do nothing: parts are made as they come."""

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; raises StorageError."""
        if not len(rows):
            return
        if self._writer is None:
            self._writer = self._start(first)
            self._next = first
        check_follows(rows, first, self._next, self._layout.spec.dtype)
        self._writer.write(first, np.ascontiguousarray(rows))
        self._next += len(rows)

    def end_part(self) -> Sequence[int]:
        """Upload what is left; return the stored sizes of this rank's segments."""
        if self._writer is None or self._stream is None:
            return []
        sizes = self._writer.end()
        with self._clock.phase("write"):
            self._stream.end()
        return sizes

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """On rank 0, upload the front and make one object of all parts; the other ranks are done."""
        if rank:
            return
        begin = front_bytes(self._layout, self._metadata)
        offsets, counts = segment_tables(self._layout, begin, sizes, str(self._final))
        front = tiff_front(self._layout, self._metadata, offsets, counts)
        with self._clock.phase("write"):
            publish_behind(front, self._uploads, self._final, int(offsets[-1] + counts[-1]))

    def close(self) -> None:
        """Begin nothing more; safe to call at any time."""
        self._pool.close()
        if self._stream is not None:
            self._stream.close()

    def _start(self, first: int) -> CodedWriter:
        """Return the writer for a part that begins at row ``first``."""
        if first % self.plan.row_unit:
            raise ValueError(f"a part begins at row {first}, which is no multiple of {self.plan.row_unit}")
        self._stream = PartStream(self._uploads, f"row{first:012d}")
        return CodedWriter(self._layout, PartAppender(self._stream, self._clock), self._pool, self._clock)
