"""What Pillow knows of a file without decoding it, and what it decodes better than other libraries."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from mpi_stage.errors import UnsupportedFormatError
from mpi_stage.formats.byte_source import ByteSource, stream
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.metadata import bare_exif
from mpi_stage.image import ImageSpec, Pixels

_CHANNELS = {"1": 1, "L": 1, "P": 3, "PA": 4, "LA": 4, "RGB": 3, "RGBA": 4, "CMYK": 3, "RGBX": 3}


@contextmanager
def pillow_unlimited() -> Iterator[None]:
    """Let Pillow open images of any size, quietly: the plan decides what is too large, and says why."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def opened(data: ByteSource, kind: str) -> Iterator[Image.Image]:
    """Give the image of a file of Pillow's format ``kind``, not decoded; raises what Pillow does."""
    with pillow_unlimited(), stream(data) as file, Image.open(file, formats=[kind]) as image:
        yield image


def spec_of(image: Image.Image, name: str) -> ImageSpec:
    """Return what Pillow says of an image, of 8 bits. Raises UnsupportedFormatError for pixels not read."""
    channels = _CHANNELS.get(image.mode)
    if channels is None:
        raise UnsupportedFormatError(
            f"{name} has pixels of kind {image.mode}; gray, RGB and RGBA are read. Convert it first."
        )
    return ImageSpec(image.height, image.width, channels, "uint8")


def decoded(data: bytearray, kind: str, channels: int) -> Pixels:
    """Decode a file of Pillow's format ``kind`` to 8 bits: gray, RGB or RGBA."""
    with pillow_unlimited(), Image.open(io.BytesIO(data), formats=[kind]) as image:
        wanted = {1: "L", 3: "RGB"}.get(channels, "RGBA")
        return np.asarray(image if image.mode == wanted else image.convert(wanted))


def metadata_of(image: Image.Image) -> Metadata:
    """Return what Pillow found beside the pixels."""
    info = image.info
    other = [name for key, name in (("xmp", "XMP"), ("photoshop", "Photoshop settings")) if key in info]
    other += ["gamma"] if "gamma" in info and "icc_profile" not in info else []
    if getattr(image, "n_frames", 1) > 1:
        other.append("further pages")
    exif = info.get("exif")
    return Metadata(
        icc_profile=info.get("icc_profile") or None,
        resolution=_resolution(info.get("dpi")),
        description=_text(info.get("Description") or info.get("Comment") or info.get("comment")),
        exif=bare_exif(exif) if isinstance(exif, bytes) and exif else None,
        other=tuple(other),
    )


def _resolution(dpi: object) -> tuple[float, float, str] | None:
    """Return dots per inch where both are stated and positive."""
    if not isinstance(dpi, tuple) or len(dpi) != 2:  # noqa: PLR2004 (across and down)
        return None
    across, down = float(dpi[0]), float(dpi[1])
    return (across, down, "inch") if across > 0 and down > 0 else None


def _text(value: object) -> str | None:
    """Return text that says something, or None."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and value.strip() else None
