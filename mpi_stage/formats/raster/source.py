"""Rows of a file of one image, which can only be decoded as a whole."""

from mpi_stage.errors import DamagedInputError, StageError
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.raster.header import parse_raster
from mpi_stage.formats.raster.kinds import KINDS, decoder_of
from mpi_stage.formats.raster.parsed import spread
from mpi_stage.image import Pixels
from mpi_stage.process.limits import LIMITS
from mpi_stage.process.timing import PhaseClock

_RGBA = 4


class RasterSource:
    """A source that decodes the image at the first read and serves rows from it until closed."""

    def __init__(self, data: ByteSource, kind: str, clock: PhaseClock) -> None:
        """Read the header of ``data``, of format ``kind`` and closed with the source.

        Raises as :func:`parse_raster`.
        """
        self.header = parse_raster(data, kind)
        self._data, self._kind, self._clock = data, kind, clock
        self._pixels: Pixels | None = None

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` with the rows from ``first`` on; raises DamagedInputError."""
        if first < 0 or first + len(out) > self.header.spec.rows:
            raise IndexError(f"rows {first} to {first + len(out)} of {self.header.spec.rows} were asked for")
        if self._pixels is None:
            with LIMITS.decoding(self.header.spec.total_bytes):
                self._pixels = self._decode()
        with self._clock.phase("decode"):
            out[:] = self._pixels[first : first + len(out)]

    def close(self) -> None:
        """Close the file and give the pixels back; safe to call twice."""
        self._pixels = None
        self._data.close()

    def _decode(self) -> Pixels:
        """Decode the whole file into an array as the header has it."""
        with self._clock.phase("read"):
            data = self._data.read_all()
        with self._clock.phase("decode"):
            pixels = self._decode_data(data)
        spec = self.header.spec
        if pixels.shape != (spec.rows, spec.columns, spec.channels) or pixels.dtype != spec.dtype:
            raise DamagedInputError(
                f"{self._data.name} announces {spec} and decodes to {pixels.shape} of {pixels.dtype}."
            )
        return pixels

    def _decode_data(self, data: bytearray) -> Pixels:
        """Decode ``data``; raises DamagedInputError where it is cut short or broken."""
        spec = self.header.spec
        try:
            found = decoder_of(self._kind).decode(data, self._data, spec)
            return spread(found) if spec.channels == _RGBA else found.reshape(*found.shape[:2], -1)
        except (StageError, MemoryError):
            raise
        except Exception as error:
            name = KINDS[self._kind].name
            raise DamagedInputError(
                f"{self._data.name} ({len(data)} bytes) does not decode as {name}: {error}. "
                "The file is damaged or cut short; get a fresh copy."
            ) from error
