"""AVIF: 8 bits by Pillow, more are read by libavif."""

import io
from dataclasses import replace

import imagecodecs
from PIL import Image

from mpi_stage.errors import UnsupportedFormatError
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.raster.avif_header import avif_bits
from mpi_stage.formats.raster.parsed import Parsed
from mpi_stage.formats.raster.pillow import decoded, metadata_of, opened, spec_of
from mpi_stage.image import ImageSpec, Pixels

_BYTE_BITS = 8
_DEEP_BITS = 16
_PLANES_BYTES_PER_PX = 24
_SPEED = 8
"""Of 0 to 10; 6, the encoder's habit, takes three times as long for half a percent fewer bytes."""


def parse(data: ByteSource) -> Parsed:
    """Read the header; the depth, which Pillow hides, from the file's boxes."""
    deep = avif_bits(data) > _BYTE_BITS
    with opened(data, "AVIF") as image:
        if getattr(image, "n_frames", 1) > 1:
            raise UnsupportedFormatError(f"{data.name} is an animated AVIF; only still images are read.")
        spec = spec_of(image, data.name)
        return Parsed(
            replace(spec, dtype="uint16") if deep else spec, metadata_of(image), _PLANES_BYTES_PER_PX
        )


def decode(data: bytearray, source: ByteSource, spec: ImageSpec) -> Pixels:
    """Return the pixels; 10 or 12 bits stretched to 16, by repeating the highest bits in the lowest."""
    if spec.dtype != "uint16":
        return decoded(data, "AVIF", spec.channels)
    bits = avif_bits(source)
    found: Pixels = imagecodecs.avif_decode(bytes(data), numthreads=1)
    found <<= _DEEP_BITS - bits
    found |= found >> bits
    return found


def encode(values: Pixels, metadata: Metadata, quality: int) -> bytes:
    """Return a file by Pillow; in one thread, for the bytes depend on whether there are more."""
    file = io.BytesIO()
    Image.fromarray(values).save(
        file,
        "AVIF",
        quality=quality,
        speed=_SPEED,
        max_threads=1,
        icc_profile=metadata.icc_profile or b"",
        exif=metadata.exif or b"",
    )
    return file.getvalue()
