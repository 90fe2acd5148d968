"""PNG, by libpng; metadata in chunks."""

import imagecodecs

from mpi_stage.formats.byte_source import ByteSource, read_start
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.raster.parsed import Parsed
from mpi_stage.formats.raster.pillow import metadata_of, opened
from mpi_stage.formats.raster.png_chunks import HEADER_BYTES, png_kind, with_metadata
from mpi_stage.image import ImageSpec, Pixels

_LEVEL = 3
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}
_GRAY, _GRAY_ALPHA = 0, 4
_DEEP_BITS = 16
_EXPANDED_BYTES_PER_PX = 4


def parse(data: ByteSource) -> Parsed:
    """Read the header; the bit depth, which Pillow hides, from the file's own."""
    kind = png_kind(read_start(data, HEADER_BYTES))
    with opened(data, "PNG") as image:
        transparent = "transparency" in image.info
        channels = 4 if transparent else _CHANNELS[kind.colour]
        expanded = kind.colour == _GRAY_ALPHA or (kind.colour == _GRAY and transparent)
        dtype = "uint16" if kind.depth == _DEEP_BITS else "uint8"
        spec = ImageSpec(image.height, image.width, channels, dtype)
        return Parsed(spec, metadata_of(image), _EXPANDED_BYTES_PER_PX if expanded else 0)


def decode(data: bytearray, source: ByteSource, spec: ImageSpec) -> Pixels:  # noqa: ARG001  (as the others)
    """Return the pixels."""
    found: Pixels = imagecodecs.png_decode(data)
    return found


def encode(values: Pixels, metadata: Metadata, quality: int) -> bytes:  # noqa: ARG001
    """Return a file; without loss."""
    return with_metadata(
        imagecodecs.png_encode(values, level=_LEVEL),
        icc_profile=metadata.icc_profile,
        resolution=metadata.resolution,
        description=metadata.description,
        exif=metadata.exif,
    )
