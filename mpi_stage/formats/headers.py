"""What is known of an image file before a pixel is decoded."""

from dataclasses import dataclass

from mpi_stage.formats.geo import GeoReference
from mpi_stage.image import ImageSpec


@dataclass(frozen=True)
class Metadata:
    """What an image file says beside its pixels; every field may be absent.

    Attributes
    ----------
    icc_profile: the bytes of an ICC profile.
    resolution: horizontal and vertical resolution and its unit (``inch``, ``centimeter``, ``none``).
    description: free text.
    exif: the bytes of an EXIF block (TIFF structure, with or without the ``Exif`` prefix stripped).
    geo: where on Earth the picture lies.
    nodata: the value of pixels without data, as GDAL writes it.
    other: names of further entries the source has and no sink can take; reported as dropped.

    """

    icc_profile: bytes | None = None
    resolution: tuple[float, float, str] | None = None
    description: str | None = None
    exif: bytes | None = None
    other: tuple[str, ...] = ()
    geo: GeoReference | None = None
    nodata: str | None = None


@dataclass(frozen=True)
class Layout:
    """How a file stores its pixels, as far as a sink may want to follow it.

    Attributes
    ----------
    format: ``tiff``, ``zarr``, ``png``, ``jpeg``, ``jpeg2000``, ``webp``, ``avif`` or ``bmp``.
    tile: rows and columns of a tile or chunk, or None for strips and formats without tiles.
    compression: ``none``, ``deflate``, ``lzw``, ``zstd``, ``jpeg``, ``lerc``… (TIFF), ``none``, ``zstd``,
        ``gzip``, ``blosc`` (Zarr), else the format's own.
    bigtiff: whether a TIFF uses 64-bit offsets.

    """

    format: str
    tile: tuple[int, int] | None = None
    compression: str = "none"
    bigtiff: bool = False


@dataclass(frozen=True)
class Header:
    """All that is known of an image before a pixel is decoded.

    ``divisible`` says that each rank can read any rows by itself. ``row_unit`` is how many rows are
    decoded together (strip or tile height; 1 where rows are stored plainly). ``decode_bytes`` is
    the most memory that reading needs beside the rows asked for. ``stored_bytes`` is the file's size; of
    a Zarr, that of the decoded chunks.
    ``decoded_bytes`` is what decoding makes of stored bytes, segments that are left out and pixels that
    are stored plainly aside; 0 where nobody can tell before reading.
    ``page`` and ``level`` say which image of the file this is. ``windowed`` says that any pixels of
    some rows can be read without the rest of those rows.
    """

    spec: ImageSpec
    layout: Layout
    metadata: Metadata
    divisible: bool
    row_unit: int
    decode_bytes: int
    stored_bytes: int
    page: int = 0
    level: int = 0
    windowed: bool = False
    decoded_bytes: int = 0

    @property
    def rereadable(self) -> bool:
        """Whether rows had better be read anew than kept: every rank can, and nothing must be decoded."""
        return self.divisible and self.layout.compression == "none"
