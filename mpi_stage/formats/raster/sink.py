"""A file of one image, encoded as a whole by the rank that gets all rows."""

from collections.abc import Sequence

import numpy as np

from mpi_stage.formats.byte_sink import ByteSink
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.ports import SinkPlan
from mpi_stage.formats.raster.kinds import encoder_of
from mpi_stage.formats.row_order import check_follows
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.process.timing import PhaseClock

DEFAULT_QUALITY = 90


class RasterSink:
    """A sink that collects all rows on rank 0, encodes them and writes the file."""

    def __init__(
        self,
        target: ByteSink,
        kind: str,
        spec: ImageSpec,
        metadata: Metadata,
        *,
        plan: SinkPlan,
        quality: int | None,
        clock: PhaseClock,
    ) -> None:
        """Prepare to write ``target`` in format ``kind``; touches no file."""
        self.plan = plan
        self._target, self._kind, self._spec, self._metadata = target, kind, spec, metadata
        self._quality, self._clock = quality, clock
        self._pixels: Pixels | None = None
        self._next = 0
        self._encoded: bytes | bytearray = b""

    def create(self) -> None:
        """Claim the place; raises OutputExistsError, DiskFullError, OutputError, StorageError."""
        self._target.create()

    def open(self) -> None:
        """Get ready to write."""
        self._target.open()

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Keep a copy of the rows, which must follow the rows before; encode them where they are all."""
        check_follows(rows, first, self._next, self._spec.dtype)
        self._next += len(rows)
        with self._clock.phase("encode"):
            if len(rows) == self._spec.rows:
                self._encoded = self._encode(rows)
                return
            if self._pixels is None:
                self._pixels = self._spec.empty(self._spec.rows)
            self._pixels[first : first + len(rows)] = rows

    def end_part(self) -> Sequence[int]:
        """Encode the image where this rank has it; return its size."""
        if self._pixels is None:
            return [len(self._encoded)] if self._encoded else []
        if self._next != self._spec.rows:
            raise ValueError(f"{self._next} of {self._spec.rows} rows were written")
        with self._clock.phase("encode"):
            self._encoded = self._encode(self._pixels)
        self._pixels = None
        return [len(self._encoded)]

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:  # noqa: ARG002 (the protocol's arguments)
        """Write the encoded image; raises DiskFullError, OutputError, StorageError."""
        if not self._encoded:
            return
        with self._clock.phase("write"):
            self._target.write(self._encoded)
        self._encoded = b""

    def close(self) -> None:
        """Close the file and give the pixels back; safe to call at any time."""
        self._pixels = None
        self._target.close()

    def _encode(self, pixels: Pixels) -> bytes | bytearray:
        """Return ``pixels`` (rows × columns × channels) as a file."""
        values = np.ascontiguousarray(pixels[..., 0]) if pixels.shape[2] == 1 else pixels
        quality = DEFAULT_QUALITY if self._quality is None else self._quality
        return encoder_of(self._kind).encode(values, self._metadata, quality)
