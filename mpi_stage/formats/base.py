"""What the engine needs of a file format: the Source and Sink protocols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from mpi_stage.formats.geo import GeoReference
from mpi_stage.image import ImageSpec, Pixels

if TYPE_CHECKING:
    from mpi_stage.bands.journal import BandRecord
    from mpi_stage.objects.bucket import Bucket
    from mpi_stage.objects.parts import Uploads


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


@dataclass(frozen=True)
class SourceOptions:
    """Which image of a file is read, and how.

    Attributes
    ----------
    page: the number of the image among those of the file, from 0.
    plane: the image of an OME-TIFF instead, by its dimensions: ``z=3,c=1,t=0``; what is left out is 0.
    level: of a pyramid, 0 being the largest.
    threads: how many threads decode on one rank.
    bucket: what inputs are read with that are objects.

    """

    page: int = 0
    plane: str | None = None
    level: int = 0
    threads: int = 1
    bucket: "Bucket | None" = None


@dataclass(frozen=True)
class SinkOptions:
    """How an output is to be written; None means as the input has it, or the format's habit.

    ``compression`` may carry a number (``zstd:9``), see ``tiff_coding``. ``threads`` is how many threads
    encode on one rank. ``format`` is one of the names of ``sink_plans.FORMATS``, whatever the suffix says.
    ``uploads`` is where the parts of outputs go that are objects, ``bands`` where bands are kept, if they
    are to be.
    """

    format: str | None = None
    compression: str | None = None
    tile: tuple[int, int] | None = None
    quality: int | None = None
    threads: int = 1
    uploads: "Uploads | None" = None
    bands: "BandPlace | None" = None


@dataclass(frozen=True)
class BandPlace:
    """Where the bands of an attempt are kept: a folder of its own.

    ``band_bytes`` of pixels make one. ``digested`` says that the digests of their rows are kept with them.
    """

    folder: str
    band_bytes: int | None = None
    digested: bool = True


@dataclass(frozen=True)
class SinkPlan:
    """What the engine must know of a sink before it is opened.

    ``divisible``: every rank writes its own rows; otherwise rank 0 gets them all, in order.
    ``row_unit``: slab boundaries must be multiples of this. ``encode_bytes``: the most memory the
    sink needs on one rank. ``kept`` and ``dropped``: what becomes of the metadata, by field name.
    ``band_rows`` are the rows of a band where the output is kept in bands, and the sink then a
    :class:`BandSink`; else ``no_bands`` says why it is not, where it was asked for.
    """

    divisible: bool
    row_unit: int
    encode_bytes: int
    kept: tuple[str, ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)
    band_rows: int | None = None
    no_bands: str | None = None


@dataclass(frozen=True)
class Seam:
    """Rows of a smaller level, the first of a rank, that lie in a row of tiles which another rank began.

    ``home`` is a row of the image whose rank is to have them; ``first`` is the first row in ``level``.
    """

    level: int
    first: int
    home: int
    rows: Pixels


class TileLayout(NamedTuple):
    """Tiles of ``height`` × ``width`` px that lie in a file as they are: ``across`` by ``down`` of them."""

    height: int
    width: int
    across: int
    down: int


class Source(Protocol):
    """Rows of an image file; opened by each rank that reads."""

    header: Header

    def read_rows(self, first: int, out: Pixels) -> None:
        """Fill ``out`` (rows × columns × channels) with the rows from ``first`` on.

        Raises DamagedInputError where the file is truncated or its data do not decode.
        """

    def close(self) -> None:
        """Release the file; the source cannot be used afterwards."""


@runtime_checkable
class TileSource(Protocol):
    """A source whose file may hold the picture in plain tiles."""

    @property
    def tiles(self) -> TileLayout | None:
        """The tiles; None where pixels are coded, or otherwise than the image's lie in the file."""

    def read_tiles(self, first: int, out: Pixels) -> None:
        """Fill ``out`` (tiles × height × width × channels) with tiles from number ``first`` on.

        Raises DamagedInputError where the file is truncated.
        """


class Sink(Protocol):
    """An image file being written; for a divisible sink every rank has one open on the same path.

    Calls come in this order: ``create`` on rank 0 only, a barrier, ``open`` on every writing rank,
    ``write_rows`` (first to last row of the rank's slab, each row once, any block height),
    ``end_part`` on every writing rank, an exchange of the returned sizes, ``assemble`` on every
    writing rank, a barrier, ``close``. The file at the path is complete after the barrier.
    """

    plan: SinkPlan

    def create(self) -> None:
        """Make the file at the path; fails where it exists."""

    def open(self) -> None:
        """Get ready to write rows."""

    def write_rows(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on; ``first`` continues where the last call ended.

        Raises DiskFullError, OutputError.
        """

    def end_part(self) -> Sequence[int]:
        """Encode what is still held back; return the stored sizes of this rank's segments, in order."""

    def assemble(self, sizes: Sequence[Sequence[int]], rank: int) -> None:
        """Put this rank's segments in their final place; rank 0 also writes the header.

        ``sizes[r]`` is what ``end_part`` returned on rank ``r``.
        """

    def close(self) -> None:
        """Release files and remove the scratch of this rank; safe to call at any time."""


@runtime_checkable
class TileSink(Protocol):
    """A sink whose file may hold the picture in plain tiles, which can be written in any order."""

    @property
    def tiles(self) -> TileLayout | None:
        """The tiles; None where there are none, or they are coded."""

    def write_tiles(self, first: int, tiles: Pixels) -> None:
        """Write tiles (tiles × height × width × channels) from number ``first`` on, all of their pixels.

        Instead of ``write_rows``. Raises DiskFullError, OutputError.
        """


@runtime_checkable
class SeamSink(Sink, Protocol):
    """A sink with smaller levels, of whose rows of tiles some are begun by one rank and ended by another.

    After the last ``write_rows`` and before ``end_part`` every rank's seams are brought to those who
    have their home rows, which take them in the order of the ranks they come from.
    """

    def seams(self) -> Sequence[Seam]:
        """Return this rank's seams, at most one of each level, largest level first."""

    def seam_spec(self, level: int) -> ImageSpec:
        """Return the size and type of a level."""

    def take_seam(self, level: int, first: int, rows: Pixels) -> None:
        """Take the rows of a level from ``first`` on, where this rank's own have ended.

        Raises DiskFullError, OutputError.
        """


@runtime_checkable
class BandSink(Sink, Protocol):
    """A sink whose output is kept in bands, which later attempts take over.

    After ``open`` come all ``take_over`` of a rank, then its rows: those of the bands that are left, in
    order; ``write_rows`` goes on at the first row of any of them. ``end_part`` makes the last bands
    complete. The output appears as ``output`` in the attempt's own folder. ``stored_as`` tells all that
    bands must agree in to have the same bytes, beside their pixels.
    """

    stored_as: str

    def take_over(self, folder: str, record: "BandRecord") -> "BandRecord | None":
        """Copy a band of an earlier attempt; return its own record, None where it is not as recorded."""

    def completed(self) -> "Sequence[BandRecord]":
        """Return the bands whose bytes have been written since the last call, without digests."""

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
