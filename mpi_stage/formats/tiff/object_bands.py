"""One TIFF object written by many ranks at once in bands that outlive the attempt."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from mpi_stage.bands.grid import BandGrid
from mpi_stage.bands.in_bucket import BAND, band_name
from mpi_stage.bands.journal import BandPart, BandRecord
from mpi_stage.bands.order import BandOrder
from mpi_stage.errors import InputChangedError, MissingInputError
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import BandOptions
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.tiff.append import Part
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.tables import segment_tables
from mpi_stage.formats.tiff.tags import front_bytes, tiff_front
from mpi_stage.formats.tiff.write_coded import CodedWriter
from mpi_stage.formats.tile_pool import TilePool
from mpi_stage.image import Pixels
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.bucket import Stored
from mpi_stage.objects.crc32c import crc32c
from mpi_stage.objects.parts import UPLOADS_AT_ONCE, Uploads, clear, publish, refuse_existing
from mpi_stage.process.timing import PhaseClock


class _Segments:
    """Encoded segments in memory until a band is full; a ``SegmentAppender``."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.data: deque[bytes] = deque()

    def append(self, data: Part) -> None:
        self.sizes.append(len(data))
        self.data.append(bytes(data))

    def flush(self) -> None:
        """Do nothing: bands are cut by their segments alone."""


class TiffObjectBandSink:
    """A :class:`~mpi_stage.formats.ports.BandSink` on one TIFF object: each band is an object until the end.

    Those of an earlier attempt are copied by the store itself, which states their checksums. The finished
    object is composed of the front and all bands, which stay until the job has ended.

    Attributes
    ----------
    stored_as: all that bands must agree in to have the same bytes, beside their pixels.
    """

    def __init__(
        self,
        url: str,
        bands: BandOptions,
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
        self.stored_as = f"object {layout!r}"
        self._final, self._uploads, self._clock = ObjectAddress.parse(url), uploads, clock
        self._bands = Uploads(uploads.bucket, ObjectAddress.prefix(bands.folder))
        self._layout, self._metadata = layout, metadata
        self._grid = BandGrid(layout.spec.rows, plan.band_rows or layout.spec.rows)
        self._codecs = TilePool(threads)
        self._pool = ThreadPoolExecutor(UPLOADS_AT_ONCE, "upload")
        self._under_way: deque[tuple[int, tuple[int, ...], Future[Stored]]] = deque()
        self._segments = _Segments()
        self._writer: CodedWriter | None = None
        self._order = BandOrder(self._grid)
        self._taken = 0
        self._sizes: dict[int, tuple[int, ...]] = {}

    def create(self) -> None:
        """Raise OutputExistsError where the object is there; remove parts of an attempt of this name."""
        refuse_existing(self._uploads.bucket, self._final)
        clear(self._uploads)

    def open(self) -> None:
        """Do nothing: bands are made as they come."""

    def take_over(self, folder: str, record: BandRecord) -> BandRecord | None:
        """Have a band copied; return its record here, None where it is not as recorded."""
        if len(record.parts) != 1 or len(record.sizes) != self._segments_of(record.band):
            return None
        (part,) = record.parts
        if part.size_bytes != sum(record.sizes) or part.crc32c is None:
            return None
        source = Stored(ObjectAddress.parse(f"{folder}{part.name}"), part.size_bytes, part.crc32c)
        target = self._bands.part(band_name(record.band))
        try:
            with self._clock.phase("write"):
                made = self._bands.bucket.compose(target, [source], part.size_bytes, part.crc32c)
        except (MissingInputError, InputChangedError):
            return None
        return self._record(record.band, record.sizes, made)

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; raises StorageError."""
        if not len(rows):
            return
        if self._writer is None:
            self._writer = CodedWriter(self._layout, self._segments, self._codecs, self._clock)
        self._order.add(first, len(rows))
        self._writer.write(first, np.ascontiguousarray(rows))
        self._send_full()

    def completed(self) -> Sequence[BandRecord]:
        """Return the bands that have been uploaded since the last call. Raises StorageError."""
        made = []
        while self._under_way and self._under_way[0][2].done():
            band, sizes, upload = self._under_way.popleft()
            made.append(self._record(band, sizes, upload.result()))
        return made

    def end_part(self) -> Sequence[int]:
        """Upload what is left; return the stored sizes of this rank's segments."""
        if self._writer is not None:
            self._writer.end()
            self._send_full()
        with self._clock.phase("write"):
            for _, _, upload in self._under_way:
                upload.result()
        sizes = self._sizes | {band: sizes for band, sizes, _ in self._under_way}
        return [size for _, each in sorted(sizes.items()) for size in each]

    def sync(self) -> None:
        """Do nothing: what the store has taken it keeps."""

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """On rank 0, upload the front and make one object of it and all bands."""
        if rank:
            return
        begin = front_bytes(self._layout, self._metadata)
        offsets, counts = segment_tables(self._layout, begin, sizes, str(self._final))
        front = tiff_front(self._layout, self._metadata, offsets, counts)
        bucket = self._uploads.bucket
        with self._clock.phase("write"):
            made = bucket.upload(self._uploads.part("front"), [front], crc32c(front))
            bands = bucket.list(self._bands.part(BAND))
            publish(self._uploads, self._final, [made, *bands], int(offsets[-1] + counts[-1]))

    def close(self) -> None:
        """Begin nothing more; safe to call at any time."""
        self._codecs.close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _segments_of(self, band: int) -> int:
        return self._layout.segments_in(self._grid.rows_of(band).height)

    def _send_full(self) -> None:
        """Begin to upload the bands of which all segments are there. Raises StorageError."""
        due = self._order.due
        while due and len(self._segments.sizes) >= self._taken + self._segments_of(due[0]):
            band = due.popleft()
            count = self._segments_of(band)
            sizes = tuple(self._segments.sizes[self._taken : self._taken + count])
            self._taken += count
            data = [self._segments.data.popleft() for _ in range(count)]
            running = [upload for _, _, upload in self._under_way if not upload.done()]
            if len(running) >= UPLOADS_AT_ONCE:
                with self._clock.phase("write"):
                    running[0].result()
            checksum = 0
            for one in data:
                checksum = crc32c(one, checksum)
            place = self._bands.part(band_name(band))
            upload = self._pool.submit(self._bands.bucket.upload, place, data, checksum)
            self._under_way.append((band, sizes, upload))

    def _record(self, band: int, sizes: tuple[int, ...], made: Stored) -> BandRecord:
        """Return the record of a band that is there; its name has the generation."""
        self._sizes[band] = sizes
        name = f"{band_name(band)}#{made.address.generation}"
        return BandRecord(band, (BandPart(name, 0, made.size_bytes, made.crc32c),), sizes)
