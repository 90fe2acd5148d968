"""What PNG, JPEG, WebP, AVIF and BMP can hold, as far as they are written."""

from dataclasses import dataclass

from mpi_stage.errors import ParameterError, UnsupportedImageError
from mpi_stage.formats.base import SinkOptions
from mpi_stage.image import ImageSpec

_MAX_QUALITY = 100


@dataclass(frozen=True)
class RasterKind:
    """The limits of one format.

    ``takes`` are the fields of Metadata it has a place for; ``encode_factor`` bounds the memory of
    its encoder, output included, in multiples of the image's bytes, and ``encode_bytes_per_px`` adds
    to that; ``quality`` says whether it has one.
    """

    name: str
    dtypes: tuple[str, ...]
    channels: tuple[int, ...]
    max_side_px: int
    max_bytes: int
    takes: tuple[str, ...]
    encode_factor: float
    encode_bytes_per_px: int
    quality: bool


NAMES = {
    "png": "PNG",
    "jpeg": "JPEG",
    "jpeg2000": "JPEG 2000",
    "webp": "WebP",
    "avif": "AVIF",
    "bmp": "BMP",
}
"""What formats of one image are called."""

KINDS = {
    "png": RasterKind(
        name="PNG",
        dtypes=("uint8", "uint16"),
        channels=(1, 3, 4),
        max_side_px=1_000_000,
        max_bytes=2**63,
        takes=("icc_profile", "resolution", "description", "exif"),
        encode_factor=4.2,
        encode_bytes_per_px=0,
        quality=False,
    ),
    "jpeg": RasterKind(
        name="JPEG",
        dtypes=("uint8",),
        channels=(1, 3),
        max_side_px=65_500,
        max_bytes=2**63,
        takes=("icc_profile", "resolution", "description", "exif"),
        encode_factor=4.0,
        encode_bytes_per_px=0,
        quality=True,
    ),
    "webp": RasterKind(
        name="WebP",
        dtypes=("uint8",),
        channels=(1, 3, 4),
        max_side_px=16_383,
        max_bytes=2**63,
        takes=("icc_profile", "exif"),
        encode_factor=5.0,
        encode_bytes_per_px=28,
        quality=True,
    ),
    "avif": RasterKind(
        name="AVIF",
        dtypes=("uint8",),
        channels=(1, 3, 4),
        # What decoders take by default: 2**28 pixels.
        max_side_px=16_384,
        max_bytes=2**63,
        takes=("icc_profile", "exif"),
        encode_factor=2.0,
        encode_bytes_per_px=32,
        quality=True,
    ),
    "bmp": RasterKind(
        name="BMP",
        dtypes=("uint8",),
        channels=(1, 3, 4),
        max_side_px=2**31 - 1,
        # The format counts in 32 bits, and many readers in 31.
        max_bytes=2**31 - 4096,
        takes=("resolution",),
        encode_factor=2.5,
        encode_bytes_per_px=0,
        quality=False,
    ),
}


def check_raster(kind: RasterKind, spec: ImageSpec, options: SinkOptions) -> None:
    """Refuse what the format cannot hold.

    Raises UnsupportedImageError for the image, with the remedy, and ParameterError for the options.
    """
    reason = None
    if spec.dtype not in kind.dtypes:
        reason = f"takes {' and '.join(kind.dtypes)}"
    elif spec.channels not in kind.channels:
        reason = f"takes {', '.join(map(str, kind.channels))} channels"
    elif max(spec.rows, spec.columns) > kind.max_side_px:
        reason = f"takes up to {kind.max_side_px} px a side"
    elif spec.rows * (-(-spec.row_bytes // 4) * 4) > kind.max_bytes:
        reason = f"takes up to {kind.max_bytes} bytes"
    if reason is not None:
        alpha = " (or remove the alpha channel)" if spec.has_alpha and kind.name == "JPEG" else ""
        raise UnsupportedImageError(f"{kind.name} {reason}; the output would be {spec}. Write a .tif{alpha}.")
    if options.compression is not None or options.tile is not None:
        raise ParameterError(f"Compression and tiles are chosen for TIFF outputs, not for {kind.name}.")
    if options.quality is not None and not kind.quality:
        raise ParameterError(f"{kind.name} is written without loss and has no quality; leave it out.")


def check_quality(quality: int | None) -> None:
    """Raise ParameterError unless the quality is absent or between 1 and 100."""
    if quality is not None and not 1 <= quality <= _MAX_QUALITY:
        raise ParameterError(f"Quality goes from 1 to {_MAX_QUALITY}; {quality} was asked for.")
