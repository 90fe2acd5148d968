"""BMP, read by Pillow, which knows all its variants."""

import imagecodecs

from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.raster.parsed import Parsed
from mpi_stage.formats.raster.pillow import decoded, metadata_of, opened, spec_of
from mpi_stage.image import ImageSpec, Pixels

_PILLOW_BYTES_PER_PX = 8
_INCH_PER_METRE = 1 / 0.0254
_CENTIMETRES_PER_METRE = 100


def parse(data: ByteSource) -> Parsed:
    """Read the header."""
    with opened(data, "BMP") as image:
        return Parsed(spec_of(image, data.name), metadata_of(image), _PILLOW_BYTES_PER_PX)


def decode(data: bytearray, source: ByteSource, spec: ImageSpec) -> Pixels:  # noqa: ARG001  (as the others)
    """Return the pixels."""
    return decoded(data, "BMP", spec.channels)


def encode(values: Pixels, metadata: Metadata, quality: int) -> bytes | bytearray:  # noqa: ARG001
    """Return a file; without loss."""
    return imagecodecs.bmp_encode(values, ppm=_pixels_per_metre(metadata))


def _pixels_per_metre(metadata: Metadata) -> int | None:
    """Return BMP's one resolution, or None."""
    if metadata.resolution is None or metadata.resolution[2] == "none":
        return None
    across, _down, unit = metadata.resolution
    scale = _INCH_PER_METRE if unit == "inch" else _CENTIMETRES_PER_METRE
    return max(1, min(round(across * scale), 2**31 - 1))
