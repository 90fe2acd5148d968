"""The formats there are of one image: how their files begin and are called, and what they can hold.

The module that reads and writes a format has the format's key as its name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

from mpi_stage.errors import ParameterError, UnsupportedImageError
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.options import SinkOptions
from mpi_stage.image import ImageSpec, Pixels

if TYPE_CHECKING:
    from mpi_stage.formats.byte_source import ByteSource
    from mpi_stage.formats.raster.parsed import Parsed

_MAX_QUALITY = 100
_AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"msf1")
_BMP_HEADER_BYTES = 26
_BMP_HEADERS = {size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)}
_MAX_JPEG_EXIF_BYTES = 65_527

START_BYTES = _BMP_HEADER_BYTES
"""The bytes of a file's start by which its format is told."""


class Decoder(Protocol):
    """What the module of a format has to read it. Both functions raise whatever they stumble over."""

    def parse(self, data: "ByteSource") -> "Parsed":
        """Read a file's header, and decode nothing."""

    def decode(self, data: bytearray, source: "ByteSource", spec: ImageSpec) -> Pixels:
        """Return the pixels of the bytes of ``source``, of which ``spec`` is what the header said.

        Gray may be rows × columns, gray with alpha rows × columns × 2 where ``spec`` has four channels.
        """


class Encoder(Protocol):
    """What the module of a format that is written has as well."""

    def encode(self, values: Pixels, metadata: Metadata, quality: int) -> bytes | bytearray:
        """Return a file of rows × columns (gray) or rows × columns × channels values, the same every time."""


@dataclass(frozen=True)
class Written:
    """What a format can hold when it is written.

    ``takes`` are the fields of Metadata it has a place for, EXIF up to ``max_exif_bytes``; ``encode_factor``
    bounds the memory of its encoder, output included, in multiples of the image's bytes, and
    ``encode_bytes_per_px`` adds to that; ``quality`` says whether it has one.
    """

    dtypes: tuple[str, ...]
    channels: tuple[int, ...]
    max_side_px: int
    takes: tuple[str, ...]
    encode_factor: float
    encode_bytes_per_px: int = 0
    quality: bool = False
    max_bytes: int = 2**63
    max_exif_bytes: int = 2**63


@dataclass(frozen=True)
class RasterKind:
    """One format.

    ``magics`` are the bytes that its files begin with; ``begins`` looks further where they are few or none.
    ``suffixes`` stand for it in an output's name; ``written`` is None where it is only read.
    """

    name: str
    suffixes: tuple[str, ...]
    magics: tuple[bytes, ...] = (b"",)
    begins: Callable[[bytes], bool] = lambda _start: True
    written: Written | None = None

    def is_of(self, start: bytes) -> bool:
        """Whether a file that begins so is of this format."""
        return start.startswith(self.magics) and self.begins(start)


KINDS = {
    "png": RasterKind(
        name="PNG",
        suffixes=(".png",),
        magics=(b"\x89PNG\r\n\x1a\n",),
        written=Written(
            dtypes=("uint8", "uint16"),
            channels=(1, 3, 4),
            max_side_px=1_000_000,
            takes=("icc_profile", "resolution", "description", "exif"),
            encode_factor=4.2,
        ),
    ),
    "jpeg": RasterKind(
        name="JPEG",
        suffixes=(".jpg", ".jpeg"),
        magics=(b"\xff\xd8\xff",),
        written=Written(
            dtypes=("uint8",),
            channels=(1, 3),
            max_side_px=65_500,
            takes=("icc_profile", "resolution", "description", "exif"),
            encode_factor=4.0,
            quality=True,
            # The one segment that JPEG has for it.
            max_exif_bytes=_MAX_JPEG_EXIF_BYTES,
        ),
    ),
    "jpeg2000": RasterKind(
        name="JPEG 2000",
        suffixes=(".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf"),
        magics=(b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    ),
    "webp": RasterKind(
        name="WebP",
        suffixes=(".webp",),
        begins=lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP",
        written=Written(
            dtypes=("uint8",),
            channels=(1, 3, 4),
            max_side_px=16_383,
            takes=("icc_profile", "exif"),
            encode_factor=5.0,
            encode_bytes_per_px=28,
            quality=True,
        ),
    ),
    "avif": RasterKind(
        name="AVIF",
        suffixes=(".avif",),
        begins=lambda start: start[4:8] == b"ftyp" and start[8:12] in _AVIF_BRANDS,
        written=Written(
            dtypes=("uint8",),
            channels=(1, 3, 4),
            # What decoders take by default: 2**28 pixels.
            max_side_px=16_384,
            takes=("icc_profile", "exif"),
            encode_factor=2.0,
            encode_bytes_per_px=32,
            quality=True,
        ),
    ),
    "bmp": RasterKind(
        name="BMP",
        suffixes=(".bmp",),
        magics=(b"BM",),
        # More than two letters speak for a BMP: reserved zeros and a known header size.
        begins=lambda start: start[6:10] == bytes(4) and start[14:18] in _BMP_HEADERS,
        written=Written(
            dtypes=("uint8",),
            channels=(1, 3, 4),
            max_side_px=2**31 - 1,
            takes=("resolution",),
            encode_factor=2.5,
            # The format counts in 32 bits, and many readers in 31.
            max_bytes=2**31 - 4096,
        ),
    ),
}
"""By what a request calls them, which is also the name of the module that reads and writes them."""

WRITTEN = {name: kind.written for name, kind in KINDS.items() if kind.written}
"""What can be held by those that are written."""


def decoder_of(kind: str) -> Decoder:
    """Return what reads a format, a key of ``KINDS``; imported when it is first asked for."""
    return cast("Decoder", _module(kind))


def encoder_of(kind: str) -> Encoder:
    """Return what writes a format, a key of ``WRITTEN``."""
    return cast("Encoder", _module(kind))


def _module(kind: str) -> ModuleType:
    return import_module(f"mpi_stage.formats.raster.{kind}")


def check_raster(kind: str, spec: ImageSpec, options: SinkOptions) -> None:
    """Refuse what a format, a key of ``WRITTEN``, cannot hold.

    Raises UnsupportedImageError for the image, with the remedy, and ParameterError for the options.
    """
    name, written, reason = KINDS[kind].name, WRITTEN[kind], None
    if spec.dtype not in written.dtypes:
        reason = f"takes {' and '.join(written.dtypes)}"
    elif spec.channels not in written.channels:
        reason = f"takes {', '.join(map(str, written.channels))} channels"
    elif max(spec.rows, spec.columns) > written.max_side_px:
        reason = f"takes up to {written.max_side_px} px a side"
    elif spec.rows * (-(-spec.row_bytes // 4) * 4) > written.max_bytes:
        reason = f"takes up to {written.max_bytes} bytes"
    if reason is not None:
        alpha = " (or remove the alpha channel)" if spec.has_alpha and 4 not in written.channels else ""  # noqa: PLR2004  (RGBA)
        raise UnsupportedImageError(f"{name} {reason}; the output would be {spec}. Write a .tif{alpha}.")
    if options.compression is not None or options.tile is not None:
        raise ParameterError(f"Compression and tiles are chosen for TIFF outputs, not for {name}.")
    if options.quality is not None and not written.quality:
        raise ParameterError(f"{name} is written without loss and has no quality; leave it out.")


def check_quality(quality: int | None) -> None:
    """Raise ParameterError unless the quality is absent or between 1 and 100."""
    if quality is not None and not 1 <= quality <= _MAX_QUALITY:
        raise ParameterError(f"Quality goes from 1 to {_MAX_QUALITY}; {quality} was asked for.")
