"""Rows of a PNG, JPEG, JPEG 2000, WebP, AVIF or BMP file, which can only be decoded as a whole."""

import io
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from mpi_stage.errors import DamagedInputError, StageError
from mpi_stage.formats.avif_header import avif_bits
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.jpeg_markers import is_whole
from mpi_stage.formats.raster_header import parse_raster, pillow_unlimited
from mpi_stage.formats.raster_kinds import NAMES
from mpi_stage.image import Pixels
from mpi_stage.limits import LIMITS
from mpi_stage.timing import PhaseClock

_GRAY_ALPHA, _INK = 2, 4
_DEEP_BITS = 16


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
        if self._kind == "jpeg" and not is_whole(data):
            raise DamagedInputError(
                f"{self._data.name} is cut short: its {len(data)} bytes do not reach the JPEG end marker. "
                "Get a fresh copy."
            )
        try:
            if self._kind == "png":
                return _spread(imagecodecs.png_decode(data))
            if self._kind == "jpeg2000":
                return self._decode_jpeg2000(data)
            if self._kind == "avif" and self.header.spec.dtype == "uint16":
                return self._decode_deep_avif(data)
            if self._kind == "webp":
                return _spread(imagecodecs.webp_decode(data, hasalpha=self.header.spec.has_alpha))
            if self._kind == "jpeg" and (found := imagecodecs.jpeg8_decode(data)).shape[2:] != (_INK,):
                return _spread(found)
            return self._decode_with_pillow(data)
        except (StageError, MemoryError):
            raise
        except Exception as error:
            raise DamagedInputError(
                f"{self._data.name} ({len(data)} bytes) does not decode as {NAMES[self._kind]}: {error}. "
                "The file is damaged or cut short; get a fresh copy."
            ) from error

    def _decode_jpeg2000(self, data: bytearray) -> Pixels:
        """Decode JPEG 2000; gray with alpha is spread, two bands are not."""
        found: Pixels = imagecodecs.jpeg2k_decode(bytes(data), numthreads=1)
        found = found.reshape(*found.shape[:2], -1)
        return _spread(found) if found.shape[2] < self.header.spec.channels else found

    def _decode_deep_avif(self, data: bytearray) -> Pixels:
        """Decode 10 or 12 bits and stretch them to 16, repeating the highest bits in the lowest."""
        bits = avif_bits(self._data)
        found: Pixels = imagecodecs.avif_decode(bytes(data), numthreads=1)
        found <<= _DEEP_BITS - bits
        found |= found >> bits
        return _spread(found)

    def _decode_with_pillow(self, data: bytearray) -> Pixels:
        """Decode what Pillow knows better: AVIF, BMP in all its variants, and four inks to RGB."""
        with pillow_unlimited(), Image.open(io.BytesIO(data), formats=[self._kind.upper()]) as image:
            wanted = {1: "L", 3: "RGB"}.get(self.header.spec.channels, "RGBA")
            converted = image if image.mode == wanted else image.convert(wanted)
            return _spread(np.asarray(converted))


def _spread(pixels: Any) -> Pixels:  # noqa: ANN401 (what the codec returned)
    """Give gray its axis, and gray with alpha its four channels."""
    found: Pixels = pixels.reshape(*pixels.shape[:2], -1)
    if found.shape[2] != _GRAY_ALPHA:
        return found
    spread = np.empty((*found.shape[:2], 4), found.dtype)
    spread[..., :3] = found[..., :1]
    spread[..., 3] = found[..., 1]
    return spread
