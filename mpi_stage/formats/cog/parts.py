"""Where the tiles of a Cloud-Optimized GeoTIFF go that is an object in a bucket."""

from collections.abc import Sequence

from mpi_stage.formats.cog.layout import CogLayout
from mpi_stage.formats.parts_append import PartAppender
from mpi_stage.objects.address import ObjectAddress
from mpi_stage.objects.parts import (
    PART_BYTES,
    PartStream,
    Uploads,
    clear,
    held_bytes,
    publish_behind,
    refuse_existing,
)
from mpi_stage.process.timing import PhaseClock


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

    def appender(self, level: int, row: int) -> PartAppender:
        """Return what takes this rank's tiles of a level, which begin at a row."""
        at_once = 1 if level else None
        stream = PartStream(self._uploads, f"tiles{self._last - level:02d}-row{row:012d}", at_once=at_once)
        self._streams.append(stream)
        return PartAppender(stream, self._clock, with_frames=True)

    def end(self) -> None:
        """Upload what is left, and wait until all is there. Raises StorageError."""
        with self._clock.phase("write"):
            for stream in self._streams:
                stream.end()

    def put(self, own: Sequence[tuple[int, int]]) -> None:
        """Do nothing: parts find their place when they are composed."""

    def finish(self, front: bytes, size_bytes: int) -> None:
        """On rank 0, make one object of the front and all parts. Raises as :func:`publish_behind`."""
        with self._clock.phase("write"):
            publish_behind(front, self._uploads, self._final, size_bytes)

    def close(self) -> None:
        """Begin nothing more; safe to call at any time."""
        for stream in self._streams:
            stream.close()


def upload_bytes(layout: CogLayout) -> int:
    """Bound of the memory that the parts of one rank take until they are uploaded."""
    segment_bytes = layout.levels[0].segment_bytes
    return held_bytes(segment_bytes) + 2 * (PART_BYTES + segment_bytes) * (len(layout.levels) - 1)
