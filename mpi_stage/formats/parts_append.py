"""Encoded segments put one behind the other in the parts of an object."""

from mpi_stage.formats.tiff.append import Part, framed
from mpi_stage.objects.parts import PartStream
from mpi_stage.process.timing import PhaseClock


class PartAppender:
    """A :class:`~mpi_stage.formats.tiff.append.SegmentAppender` on a part stream.

    ``with_frames`` puts each segment into the frame that Cloud-Optimized GeoTIFFs have; the sizes that are
    kept leave it out.
    """

    def __init__(self, stream: PartStream, clock: PhaseClock, *, with_frames: bool = False) -> None:
        """Append to ``stream``."""
        self.sizes: list[int] = []
        self._stream, self._clock, self._with_frames = stream, clock, with_frames

    def append(self, data: Part) -> None:
        """Take a segment; raises StorageError, also of an earlier part."""
        self.sizes.append(len(data))
        with self._clock.phase("write"):
            self._stream.append(b"".join(framed(data)) if self._with_frames else data)

    def flush(self) -> None:
        """Do nothing: parts are cut by their size alone."""
