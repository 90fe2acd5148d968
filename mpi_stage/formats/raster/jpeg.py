"""JPEG, by libjpeg-turbo; metadata in segments."""

import imagecodecs

from mpi_stage.errors import DamagedInputError
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.jpeg_markers import is_whole, with_metadata
from mpi_stage.formats.raster.parsed import Parsed
from mpi_stage.formats.raster.pillow import decoded, metadata_of, opened, spec_of
from mpi_stage.image import ImageSpec, Pixels

_GRAY_AXES = 2
_INK = 4
_PROGRESSIVE_BYTES_PER_PX = 6
_INK_BYTES_PER_PX = 16
_MAX_DENSITY = 65_535
_MAX_COMMENT_BYTES = 65_533


def parse(data: ByteSource) -> Parsed:
    """Read the header; a progressive file's coefficients are all held at once, and so are inks."""
    with opened(data, "JPEG") as image:
        extra = 0
        if image.info.get("progressive") or image.info.get("progression"):
            extra += _PROGRESSIVE_BYTES_PER_PX
        if image.mode == "CMYK":
            extra += _INK_BYTES_PER_PX
        return Parsed(spec_of(image, data.name), metadata_of(image), extra)


def decode(data: bytearray, source: ByteSource, spec: ImageSpec) -> Pixels:
    """Return the pixels; four inks by Pillow, which knows how they become RGB."""
    if not is_whole(data):
        raise DamagedInputError(
            f"{source.name} is cut short: its {len(data)} bytes do not reach the JPEG end marker. "
            "Get a fresh copy."
        )
    found: Pixels = imagecodecs.jpeg8_decode(data)
    return decoded(data, "JPEG", spec.channels) if found.shape[2:] == (_INK,) else found


def encode(values: Pixels, metadata: Metadata, quality: int) -> bytes:
    """Return a file with half the colour resolution."""
    subsampling = None if values.ndim == _GRAY_AXES else "420"
    comment = metadata.description.encode()[:_MAX_COMMENT_BYTES] if metadata.description else None
    return with_metadata(
        imagecodecs.jpeg8_encode(values, level=quality, subsampling=subsampling),
        icc_profile=metadata.icc_profile,
        exif=metadata.exif,
        comment=comment,
        density=_density(metadata.resolution),
    )


def _density(resolution: tuple[float, float, str] | None) -> tuple[int, int, int]:
    """Return JFIF's unit and densities."""
    if resolution is None:
        return 0, 1, 1
    across, down, unit = resolution
    whole = [max(1, min(round(value), _MAX_DENSITY)) for value in (across, down)]
    return {"inch": 1, "centimeter": 2}.get(unit, 0), whole[0], whole[1]
