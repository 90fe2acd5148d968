"""Headers of PNG, JPEG, JPEG 2000, WebP, AVIF and BMP files: size, channels, type and metadata, no pixels."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from PIL import Image

from mpi_stage.errors import DamagedInputError, StageError, UnsupportedFormatError
from mpi_stage.formats.avif_header import avif_bits
from mpi_stage.formats.base import Header, Layout, Metadata
from mpi_stage.formats.byte_source import ByteSource, read_start, stream
from mpi_stage.formats.jpeg2000_header import parse_jpeg2000
from mpi_stage.formats.metadata import bare_exif
from mpi_stage.formats.png_chunks import png_kind
from mpi_stage.formats.raster_kinds import NAMES
from mpi_stage.formats.webp_header import webp_header
from mpi_stage.image import ImageSpec

_BYTE_BITS = 8
_CHANNELS = {"1": 1, "L": 1, "P": 3, "PA": 4, "LA": 4, "RGB": 3, "RGBA": 4, "CMYK": 3, "RGBX": 3}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}
_DEEP = 16
# Beside the pixels themselves and the file's bytes, for each pixel: what the decoder of the format
# holds at once (coefficients of a progressive JPEG, Pillow's four bytes a pixel, libwebp's ARGB).
_EXTRA_BYTES_PER_PX = {"png": 0, "jpeg": 0, "webp": 8, "avif": 24, "bmp": 8}
_PROGRESSIVE_BYTES_PER_PX = 6
_INK_BYTES_PER_PX = 16
_EXPANDED_BYTES_PER_PX = 4
# OpenJPEG holds 32 bits a value, and tables of code blocks, which may be as small as 4 × 4.
_JPEG_2000_BYTES_PER_VALUE = 14
_FIXED_BYTES = 4 << 20


@dataclass(frozen=True)
class _Parsed:
    """What one format's header gave."""

    spec: ImageSpec
    metadata: Metadata
    extra_bytes_per_px: int


def parse_raster(data: ByteSource, kind: str) -> Header:
    """Read the header of ``data``, a file of format ``kind`` (a key of ``NAMES``).

    Raises DamagedInputError where it is cut short, UnsupportedFormatError for kinds not read.
    """
    try:
        parsed = _PARSERS[kind](data, kind)
    except (StageError, MemoryError):
        raise
    except Exception as error:
        # Parsers of other people's raise whatever they stumble over, RuntimeError of AVIF for one.
        raise DamagedInputError(
            f"{data.name} begins like {NAMES[kind]}, but its header cannot be read ({error}). "
            "The file is damaged or cut short; get a fresh copy."
        ) from error
    spec = parsed.spec
    stored_bytes = data.size_bytes
    return Header(
        spec=spec,
        layout=Layout(kind, None, kind),
        metadata=parsed.metadata,
        divisible=False,
        row_unit=1,
        decode_bytes=spec.total_bytes + stored_bytes + parsed.extra_bytes_per_px * spec.pixels + _FIXED_BYTES,
        stored_bytes=stored_bytes,
        decoded_bytes=spec.total_bytes,
    )


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


def _parse_jpeg2000(data: ByteSource, kind: str) -> _Parsed:  # noqa: ARG001 (as the others)
    """Parse a JPEG 2000."""
    spec, metadata, components = parse_jpeg2000(data)
    return _Parsed(spec, metadata, (_JPEG_2000_BYTES_PER_VALUE + spec.itemsize) * components)


def _parse_avif(data: ByteSource, kind: str) -> _Parsed:
    """Parse an AVIF; its depth, which Pillow hides, from its boxes."""
    deep = avif_bits(data) > _BYTE_BITS
    parsed = _parse_with_pillow(data, kind)
    if not deep:
        return parsed
    return replace(parsed, spec=replace(parsed.spec, dtype="uint16"))


def _parse_webp(data: ByteSource, kind: str) -> _Parsed:  # noqa: ARG001 (as the others)
    """Parse a WebP by its chunks: Pillow would reserve memory for the whole image."""
    with closing(stream(data)) as file:
        found = webp_header(file, data.size_bytes)
    if found.animated:
        raise UnsupportedFormatError(f"{data.name} is an animated WebP; only still images are read.")
    exif = bare_exif(found.exif) if found.exif else None
    return _Parsed(
        ImageSpec(found.rows, found.columns, 4 if found.alpha else 3, "uint8"),
        Metadata(icc_profile=found.icc_profile, exif=exif, other=found.other),
        _EXTRA_BYTES_PER_PX["webp"],
    )


def _parse_with_pillow(data: ByteSource, kind: str) -> _Parsed:
    """Parse what Pillow reads lazily; a PNG's bit depth, which Pillow hides, from its own header."""
    with pillow_unlimited(), stream(data) as file, Image.open(file, formats=[kind.upper()]) as image:
        channels = _CHANNELS.get(image.mode)
        dtype = "uint8"
        extra = _EXTRA_BYTES_PER_PX[kind]
        if kind == "png":
            channels, dtype, expanded = _png_pixels(data, transparent="transparency" in image.info)
            extra += _EXPANDED_BYTES_PER_PX if expanded else 0
        if channels is None:
            raise UnsupportedFormatError(
                f"{data.name} has pixels of kind {image.mode}; gray, RGB and RGBA are read. Convert it first."
            )
        if kind == "avif" and getattr(image, "n_frames", 1) > 1:
            raise UnsupportedFormatError(f"{data.name} is an animated AVIF; only still images are read.")
        if image.info.get("progressive") or image.info.get("progression"):
            extra += _PROGRESSIVE_BYTES_PER_PX
        if image.mode == "CMYK":
            extra += _INK_BYTES_PER_PX
        spec = ImageSpec(image.height, image.width, channels, dtype)
        return _Parsed(spec, _metadata(image), extra)


def _png_pixels(data: ByteSource, *, transparent: bool) -> tuple[int, str, bool]:
    """Return channels, type and whether gray and alpha must be spread to four channels."""
    kind = png_kind(read_start(data, 33))
    channels = 4 if transparent else _PNG_CHANNELS[kind.colour]
    gray_alpha = kind.colour == 4 or (kind.colour == 0 and transparent)  # noqa: PLR2004 (see PngKind)
    return channels, "uint16" if kind.depth == _DEEP else "uint8", gray_alpha


def _metadata(image: Image.Image) -> Metadata:
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


_PARSERS: dict[str, Callable[[ByteSource, str], _Parsed]] = {
    "png": _parse_with_pillow,
    "jpeg": _parse_with_pillow,
    "jpeg2000": _parse_jpeg2000,
    "webp": _parse_webp,
    "avif": _parse_avif,
    "bmp": _parse_with_pillow,
}
