"""Where the tiles of a Cloud-Optimized GeoTIFF go that is an object in a bucket."""

from collections.abc import Sequence

from mpi_stage.formats.cog_layout import CogLayout
from mpi_stage.formats.tiff_append import framed
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.crc32c import crc32c
from mpi_stage.objects.parts import (
    PART_BYTES,
    PartStream,
    Uploads,
    clear,
    held_bytes,
    publish,
    refuse_existing,
)
from mpi_stage.timing import PhaseClock

_FRONT = "front"


class CogParts:
    """Each level of a rank is uploaded in parts, whose names are in the order of the file."""

    def __init__(self, url: str, layout: CogLayout, *, uploads: Uploads, clock: PhaseClock) -> None:
        """Prepare to make the object ``url``; touches nothing."""
        self._final, self._uploads = ObjectAddress.parse(url), uploads
        self._last, self._clock = len(layout.levels) - 1, clock
        self._streams: list[PartStream] = []

    def create(self) -> None:
        """Raise OutputExistsError where the object is there; remove parts of an attempt of this name."""
        refuse_existing(self._uploads.bucket, self._final)
        clear(self._uploads)

    def open(self) -> None:
        """Do nothing: parts are made as they come."""

    def appender(self, level: int, row: int) -> "_Appender":
        """Return what takes this rank's tiles of a level, which begin at a row."""
        at_once = 1 if level else None
        stream = PartStream(self._uploads, f"tiles{self._last - level:02d}-row{row:012d}", at_once=at_once)
        self._streams.append(stream)
        return _Appender(stream, self._clock)

    def end(self) -> None:
        """Upload what is left, and wait until all is there. Raises StorageError."""
        with self._clock.phase("write"):
            for stream in self._streams:
                stream.end()

    def put(self, own: Sequence[tuple[int, int]]) -> None:
        """Do nothing: parts find their place when they are composed."""

    def finish(self, front: bytes, size_bytes: int) -> None:
        """On rank 0, upload the front and make one object of all parts. Raises as :func:`publish`."""
        with self._clock.phase("write"):
            bucket = self._uploads.bucket
            made = bucket.upload(self._uploads.part(_FRONT), [front], crc32c(front))
            found = bucket.list(self._uploads.prefix)
            parts = [made, *(part for part in found if part.address != made.address)]
            publish(self._uploads, self._final, parts, size_bytes)

    def close(self) -> None:
        """Begin nothing more; safe to call at any time."""
        for stream in self._streams:
            stream.close()


class _Appender:
    """Appends framed segments to a part stream, and keeps their sizes."""

    def __init__(self, stream: PartStream, clock: PhaseClock) -> None:
        self.sizes: list[int] = []
        self._stream, self._clock = stream, clock

    def append(self, data: bytes | bytearray) -> None:
        self.sizes.append(len(data))
        with self._clock.phase("write"):
            self._stream.append(b"".join(framed(data)))

    def flush(self) -> None:
        """Do nothing: parts are cut by their size alone."""


def upload_bytes(layout: CogLayout) -> int:
    """Bound of the memory that the parts of one rank take until they are uploaded."""
    segment_bytes = layout.levels[0].segment_bytes
    return held_bytes(segment_bytes) + 2 * (PART_BYTES + segment_bytes) * (len(layout.levels) - 1)
