"""JPEG 2000, by OpenJPEG; only read."""

import imagecodecs

from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.raster.jpeg2000_header import parse_jpeg2000
from mpi_stage.formats.raster.parsed import Parsed
from mpi_stage.image import ImageSpec, Pixels

# OpenJPEG holds 32 bits a value, and tables of code blocks, which may be as small as 4 × 4.
_BYTES_PER_VALUE = 14


def parse(data: ByteSource) -> Parsed:
    """Read the header."""
    spec, metadata, components = parse_jpeg2000(data)
    return Parsed(spec, metadata, (_BYTES_PER_VALUE + spec.itemsize) * components)


def decode(data: bytearray, source: ByteSource, spec: ImageSpec) -> Pixels:  # noqa: ARG001  (as the others)
    """Return the pixels, of as many components as the file has."""
    found: Pixels = imagecodecs.jpeg2k_decode(bytes(data), numthreads=1)
    return found
