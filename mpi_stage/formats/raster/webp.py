"""WebP, read by libwebp and written by Pillow."""

import io
from contextlib import closing

import imagecodecs
from PIL import Image

from mpi_stage.errors import UnsupportedFormatError
from mpi_stage.formats.byte_source import ByteSource, stream
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.metadata import bare_exif
from mpi_stage.formats.raster.parsed import Parsed
from mpi_stage.formats.raster.webp_header import webp_header
from mpi_stage.image import ImageSpec, Pixels

_ARGB_BYTES_PER_PX = 8


def parse(data: ByteSource) -> Parsed:
    """Read the header from the file's chunks: Pillow would reserve memory for the whole image."""
    with closing(stream(data)) as file:
        found = webp_header(file, data.size_bytes)
    if found.animated:
        raise UnsupportedFormatError(f"{data.name} is an animated WebP; only still images are read.")
    return Parsed(
        ImageSpec(found.rows, found.columns, 4 if found.alpha else 3, "uint8"),
        Metadata(
            icc_profile=found.icc_profile,
            exif=bare_exif(found.exif) if found.exif else None,
            other=found.other,
        ),
        _ARGB_BYTES_PER_PX,
    )


def decode(data: bytearray, source: ByteSource, spec: ImageSpec) -> Pixels:  # noqa: ARG001  (as the others)
    """Return the pixels."""
    found: Pixels = imagecodecs.webp_decode(data, hasalpha=spec.has_alpha)
    return found


def encode(values: Pixels, metadata: Metadata, quality: int) -> bytes:
    """Return a file by Pillow, which also writes the extended header; gray becomes three equal channels."""
    image = Image.fromarray(values)
    file = io.BytesIO()
    image.convert("RGB" if image.mode == "L" else image.mode).save(
        file,
        "WEBP",
        quality=quality,
        exact=True,
        icc_profile=metadata.icc_profile or b"",
        exif=metadata.exif or b"",
    )
    return file.getvalue()
