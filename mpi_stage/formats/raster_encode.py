"""Encoding a whole image as PNG, JPEG, WebP, AVIF or BMP, metadata included; the same bytes every time."""

import io
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from mpi_stage.formats import jpeg_markers, png_chunks
from mpi_stage.formats.base import Metadata
from mpi_stage.image import Pixels

DEFAULT_QUALITY = 90
_PNG_LEVEL = 3
_AVIF_SPEED = 8
"""Of 0 to 10; 6, the encoder's habit, takes three times as long for half a percent fewer bytes."""

_INCH_PER_METRE = 1 / 0.0254
_CENTIMETRES_PER_METRE = 100
_MAX_DENSITY = 65_535
_MAX_COMMENT_BYTES = 65_533


def encode_raster(kind: str, pixels: Pixels, metadata: Metadata, quality: int | None) -> bytes | bytearray:
    """Return ``pixels`` (rows × columns × channels) as a file of format ``kind``."""
    values = np.ascontiguousarray(pixels[..., 0]) if pixels.shape[2] == 1 else pixels
    if kind == "png":
        return _encode_png(values, metadata)
    if kind == "bmp":
        return imagecodecs.bmp_encode(values, ppm=_pixels_per_metre(metadata))
    chosen = DEFAULT_QUALITY if quality is None else quality
    if kind == "jpeg":
        return _encode_jpeg(values, metadata, chosen)
    if kind == "avif":
        return _encode_avif(values, metadata, chosen)
    return _encode_webp(values, metadata, chosen)


def _encode_png(values: Any, metadata: Metadata) -> bytes:  # noqa: ANN401 (two axes for gray, else three)
    """Encode without loss."""
    return png_chunks.with_metadata(
        imagecodecs.png_encode(values, level=_PNG_LEVEL),
        icc_profile=metadata.icc_profile,
        resolution=metadata.resolution,
        description=metadata.description,
        exif=metadata.exif,
    )


def _encode_jpeg(values: Any, metadata: Metadata, quality: int) -> bytes:  # noqa: ANN401
    """Encode with half the colour resolution."""
    subsampling = None if values.ndim == 2 else "420"  # noqa: PLR2004 (gray has two axes)
    comment = metadata.description.encode()[:_MAX_COMMENT_BYTES] if metadata.description else None
    return jpeg_markers.with_metadata(
        imagecodecs.jpeg8_encode(values, level=quality, subsampling=subsampling),
        icc_profile=metadata.icc_profile,
        exif=metadata.exif,
        comment=comment,
        density=_density(metadata.resolution),
    )


def _encode_webp(values: Any, metadata: Metadata, quality: int) -> bytes:  # noqa: ANN401
    """Encode with Pillow, which also writes the extended header; gray becomes three equal channels."""
    image = Image.fromarray(values)
    stream = io.BytesIO()
    image.convert("RGB" if image.mode == "L" else image.mode).save(
        stream,
        "WEBP",
        quality=quality,
        exact=True,
        icc_profile=metadata.icc_profile or b"",
        exif=metadata.exif or b"",
    )
    return stream.getvalue()


def _encode_avif(values: Any, metadata: Metadata, quality: int) -> bytes:  # noqa: ANN401
    """Encode with Pillow; in one thread, for the bytes depend on whether there are more."""
    stream = io.BytesIO()
    Image.fromarray(values).save(
        stream,
        "AVIF",
        quality=quality,
        speed=_AVIF_SPEED,
        max_threads=1,
        icc_profile=metadata.icc_profile or b"",
        exif=metadata.exif or b"",
    )
    return stream.getvalue()


def _density(resolution: tuple[float, float, str] | None) -> tuple[int, int, int]:
    """Return JFIF's unit and densities."""
    if resolution is None:
        return 0, 1, 1
    across, down, unit = resolution
    whole = [max(1, min(round(value), _MAX_DENSITY)) for value in (across, down)]
    return {"inch": 1, "centimeter": 2}.get(unit, 0), whole[0], whole[1]


def _pixels_per_metre(metadata: Metadata) -> int | None:
    """Return BMP's one resolution, or None."""
    if metadata.resolution is None or metadata.resolution[2] == "none":
        return None
    across, _down, unit = metadata.resolution
    scale = _INCH_PER_METRE if unit == "inch" else _CENTIMETRES_PER_METRE
    return max(1, min(round(across * scale), 2**31 - 1))
