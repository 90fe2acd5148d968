"""How an output Zarr is cut into chunks and shards: pure arithmetic, the same on every rank."""

import math
from dataclasses import dataclass
from typing import Any

from mpi_stage.errors import ParameterError, UnsupportedImageError
from mpi_stage.formats.headers import Header
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.tile_pool import TILES_PER_THREAD
from mpi_stage.formats.zarr.coding import COMPRESSIONS, ZarrCoding, parse_zarr_coding
from mpi_stage.image import ImageSpec
from mpi_stage.rows.pyramid import halved, halving_bytes

TYPES = ("uint8", "uint16", "float32")
CHUNK_PX = 512
LEAST_CHUNK_PX = 64
CHUNK_BYTES = 8 << 20
SHARD_BYTES = 32 << 20
MOST_SHARD_BYTES = 64 << 20
PASS_LEVELS = range(2, 5)
"""Levels below the first that are made while the rows go by; each doubles the rows of a shard."""

SHARD_ROWS_OF_IMAGE = 64
"""Levels beyond the least of these are made so only where the image still has so many rows of shards."""

_MAX_SIDE_PX = 2**31 - 1
_MAX_CHANNELS = 65_535
_ENTRY_BYTES = 16
_CODEC_BYTES = 4 << 20
_CHUNK_SIDES_PX = (16, 1 << 16)


@dataclass(frozen=True)
class LevelLayout:
    """One array: channels innermost, or outermost as OME-Zarr wants them.

    ``shard_rows``, ``shard_columns`` and ``shard_channels`` are multiples of a chunk's; where a shard
    would hold one chunk only, there are none.
    """

    spec: ImageSpec
    planar: bool
    chunk_rows: int
    chunk_columns: int
    shard_rows: int
    shard_columns: int
    shard_channels: int
    coding: ZarrCoding

    @property
    def names(self) -> tuple[str, ...]:
        """The dimensions' names."""
        if self.spec.channels == 1:
            return ("y", "x")
        return ("c", "y", "x") if self.planar else ("y", "x", "c")

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.ordered(self.spec.channels, self.spec.rows, self.spec.columns)

    @property
    def chunk_channels(self) -> int:
        """Channels of a chunk."""
        return 1 if self.planar else self.spec.channels

    @property
    def chunk(self) -> tuple[int, ...]:
        """The shape of a chunk."""
        return self.ordered(self.chunk_channels, self.chunk_rows, self.chunk_columns)

    @property
    def shard(self) -> tuple[int, ...]:
        """The shape of a shard; that of a chunk where there are no shards."""
        return self.ordered(self.shard_channels, self.shard_rows, self.shard_columns)

    @property
    def counts(self) -> tuple[int, ...]:
        """Chunks of a shard along each dimension."""
        return tuple(whole // part for whole, part in zip(self.shard, self.chunk, strict=True))

    @property
    def sharded(self) -> bool:
        """Whether chunks are gathered in shards."""
        return math.prod(self.counts) > 1

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a chunk before it is encoded."""
        return math.prod(self.chunk) * self.spec.itemsize

    @property
    def working_bytes(self) -> int:
        """Bound of the memory for writing rows of this array: rows held back and open shards' indexes."""
        across = math.ceil(self.spec.columns / self.chunk_columns) * self.spec.channels
        entries = across * (self.shard_rows // self.chunk_rows) * 2 * _ENTRY_BYTES
        return self.chunk_rows * self.spec.row_bytes + entries

    def ordered(self, channels: Any, rows: Any, columns: Any) -> tuple[Any, ...]:  # noqa: ANN401 (any)
        """Return something of each dimension in the order of the array's."""
        by_name = {"c": channels, "y": rows, "x": columns}
        return tuple(by_name[name] for name in self.names)


@dataclass(frozen=True)
class ZarrLayout:
    """A whole output: one array, or an OME-Zarr group with its levels.

    ``in_pass`` are the levels that each rank makes of its own rows; the others are made of the last of
    those when it is complete.
    """

    levels: tuple[LevelLayout, ...]
    ome: bool
    in_pass: int

    @property
    def row_unit(self) -> int:
        """Slab boundaries must be multiples of this many rows, so that a shard has one writer."""
        return min(self.levels[0].shard_rows, self.levels[0].spec.rows)

    def encode_bytes(self, threads: int = 1) -> int:
        """Bound of the memory that writing needs on one rank beside the rows that are handed in."""
        largest = max(level.chunk_bytes for level in self.levels)
        held = sum(level.working_bytes for level in self.levels)
        # Rows are handed in by blocks, of a height that is not known here, and go on chunk by chunk.
        halving = sum(halving_bytes(level.spec, level.chunk_rows) for level in self.levels[:-1])
        under_way = TILES_PER_THREAD * threads if threads > 1 else 1
        # Every level has a chunk to fill for each thread; reading a level back needs a few more.
        chunks = (len(self.levels) * threads + 4) * largest + 2 * under_way * largest
        return held + halving + chunks + threads * _CODEC_BYTES


def choose_zarr(spec: ImageSpec, like: Header | None, options: SinkOptions, *, ome: bool) -> ZarrLayout:
    """Decide chunks, shards, levels and compression.

    Raises ParameterError for options that Zarr does not have, UnsupportedImageError for images that
    are not written so.
    """
    if spec.dtype not in TYPES:
        raise UnsupportedImageError(
            f"Zarr is written with {', '.join(TYPES)}; the output would be {spec}. Write a .tif."
        )
    if max(spec.rows, spec.columns) > _MAX_SIDE_PX or spec.channels > _MAX_CHANNELS:
        raise UnsupportedImageError(
            f"Zarr is written with up to {_MAX_SIDE_PX} px a side and {_MAX_CHANNELS} channels; "
            f"the output would be {spec}."
        )
    if options.quality is not None:
        raise ParameterError("Zarr is written without loss and has no quality; leave it out.")
    rows, columns = _chunk(spec, like, options, planar=ome)
    coding = _coding(like, options)
    count = 1
    while ome and max(halved(spec, count - 1).rows, halved(spec, count - 1).columns) > CHUNK_PX:
        count += 1
    in_pass = min(count, 1 + _pass_levels(spec, rows)) if count > 1 else 1
    # An array alone has shards of two rows of chunks; levels must end with whole chunks too.
    factors = [2 ** max(0, in_pass - 1 - level) if ome else 2 for level in range(count)]
    levels = [
        _level(halved(spec, level), rows, columns, factors[level], coding, planar=ome)
        for level in range(count)
    ]
    return ZarrLayout(tuple(levels), ome, in_pass)


def _pass_levels(spec: ImageSpec, chunk_rows: int) -> int:
    """Return how many levels below the first are made while the rows go by."""
    units = spec.rows // (chunk_rows * SHARD_ROWS_OF_IMAGE)
    return min(max(PASS_LEVELS[0], units.bit_length() - 1), PASS_LEVELS[-1])


def _level(
    spec: ImageSpec, rows: int, columns: int, factor: int, coding: ZarrCoding, *, planar: bool
) -> LevelLayout:
    """Return the layout of one array, whose shards have ``factor`` rows of chunks."""
    shard_rows = rows * min(factor, -(-spec.rows // rows))
    planar = planar and spec.channels > 1
    chunk_channels = 1 if planar else spec.channels
    column_bytes = shard_rows * columns * chunk_channels * spec.itemsize
    channels = min(spec.channels // chunk_channels, max(1, MOST_SHARD_BYTES // column_bytes))
    across = max(1, SHARD_BYTES // (column_bytes * channels))
    return LevelLayout(
        spec=spec,
        planar=planar,
        chunk_rows=rows,
        chunk_columns=columns,
        shard_rows=shard_rows,
        shard_columns=columns * min(across, -(-spec.columns // columns)),
        shard_channels=channels * chunk_channels,
        coding=coding,
    )


def _chunk(spec: ImageSpec, like: Header | None, options: SinkOptions, *, planar: bool) -> tuple[int, int]:
    """Return rows and columns of a chunk."""
    if options.tile is not None:
        least, most = _CHUNK_SIDES_PX
        if not all(least <= side <= most for side in options.tile):
            raise ParameterError(
                f"The sides of a Zarr chunk are {least} to {most} px; "
                f"{options.tile[0]} × {options.tile[1]} was asked for. Try 512 × 512."
            )
        return options.tile
    value_bytes = spec.itemsize * (1 if planar else spec.channels)
    if like is not None and like.layout.format == "zarr" and like.layout.tile is not None:
        rows, columns = like.layout.tile
        if min(rows, columns) >= LEAST_CHUNK_PX and rows * columns * value_bytes <= CHUNK_BYTES:
            return rows, columns
    side = CHUNK_PX
    while side > LEAST_CHUNK_PX and side * side * value_bytes > CHUNK_BYTES:
        side //= 2
    return side, side


def _coding(like: Header | None, options: SinkOptions) -> ZarrCoding:
    """Return the compression asked for, or the input's, or zstd."""
    if options.compression is not None:
        return parse_zarr_coding(options.compression)
    if like is not None and like.layout.format == "zarr" and like.layout.compression in COMPRESSIONS:
        return parse_zarr_coding(like.layout.compression)
    return parse_zarr_coding("zstd")
