"""What the engine needs of a file format: sources, and sinks with what is known of them beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from mpi_stage.formats.headers import Header
from mpi_stage.image import ImageSpec, Pixels

if TYPE_CHECKING:
    from mpi_stage.bands.journal import BandRecord


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
