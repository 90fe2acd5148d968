"""How an output TIFF is cut into segments: pure arithmetic, the same on every rank."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpi_stage.errors import ParameterError, UnsupportedImageError
from mpi_stage.formats.headers import Header
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.coding import COMPRESSIONS, LERC_INNER, Coding, parse_coding
from mpi_stage.formats.tile_pool import TILES_PER_THREAD
from mpi_stage.image import ImageSpec, Pixels

DEFAULT_QUALITY = 90
BATCH_BYTES = 4 << 20
"""Encoded segments are written when there are so many bytes of them."""

_JPEG_CHANNELS = (1, 3)
_JPEG_SIDE_PX = 65_500
_JPEG_UNIT_ROWS = 16
_TILE_UNIT = 16
_STRIP_BYTES = 256 * 1024
_CLASSIC_BYTES = 2**32 - 64 * 1024
_MAX_SIDE_PX = 2**31 - 1
_MAX_CHANNELS = 65_535
# How much larger than the pixels the worst encoded segment may be, and what each may add to that.
_GROWTH = {
    "none": 1.0,
    "deflate": 1.01,
    "zstd": 1.01,
    "lzw": 1.6,
    "jpeg": 2.0,
    **dict.fromkeys(LERC_INNER, 1.3),
}
_PREDICTED = ("deflate", "lzw", "zstd")
_SEGMENT_EXTRA_BYTES = 1024
_TABLE_BYTES = 16
_CODEC_BYTES = 3 << 20


@dataclass(frozen=True)
class TiffLayout:
    """The grid of segments (tiles or strips) of an output TIFF.

    ``segment_rows`` and ``segment_columns`` are the size of a tile, or the rows of a strip and the
    image's width. The last strip is shorter where the rows do not divide; tiles are always whole.
    ``quality`` is JPEG's; ``effort`` the level of deflate and zstd, or LERC's greatest error.
    """

    spec: ImageSpec
    tiled: bool
    segment_rows: int
    segment_columns: int
    compression: str
    quality: int
    effort: float = 0.0

    @property
    def across(self) -> int:
        """Segments beside one another."""
        return math.ceil(self.spec.columns / self.segment_columns)

    @property
    def down(self) -> int:
        """Rows of segments."""
        return math.ceil(self.spec.rows / self.segment_rows)

    @property
    def segments(self) -> int:
        """Segments in all."""
        return self.across * self.down

    @property
    def segment_bytes(self) -> int:
        """Bytes of a whole segment before it is encoded."""
        return self.segment_rows * self.segment_columns * self.spec.channels * self.spec.itemsize

    @property
    def stored_bytes(self) -> int:
        """Bytes of all segments before they are encoded, with the padding of tiles."""
        return self.segments * self.segment_bytes if self.tiled else self.spec.total_bytes

    @property
    def predictor(self) -> int:
        """TIFF's predictor, see ``codes``."""
        if self.compression not in _PREDICTED:
            return codes.NO_PREDICTOR
        return codes.FLOATING if self.spec.dtype == "float32" else codes.HORIZONTAL

    @property
    def big(self) -> bool:
        """Whether the file may outgrow 32-bit offsets, judged by the worst encoded size."""
        return outgrows_classic([self])

    @property
    def row_unit(self) -> int:
        """Slab boundaries must be multiples of this many rows."""
        return 1 if self.compression == "none" else min(self.segment_rows, self.spec.rows)

    @property
    def band_unit(self) -> int:
        """Bands must be multiples of this many rows: their bytes lie together then."""
        return 1 if self.compression == "none" and not self.tiled else min(self.segment_rows, self.spec.rows)

    def encode_bytes(self, threads: int = 1, *, in_order: bool = False) -> int:
        """Bound of the memory that writing needs on one rank beside the rows that are handed in.

        ``in_order``: plain segments are written one behind the other too, as compressed ones are.
        """
        tables = 3 * self.segments * _TABLE_BYTES
        if self.compression == "none" and not in_order:
            return tables + (self.segment_bytes if self.tiled else 0)
        sizes = 40 * self.segments
        held_back = self.segment_rows * self.spec.row_bytes
        return tables + sizes + held_back + self.codec_bytes(threads)

    def segments_in(self, rows: int) -> int:
        """How many segments hold so many rows, of which the first begins with segments."""
        return -(-rows // self.segment_rows) * self.across

    def worst_bytes(self, rows: int) -> int:
        """Bound of the encoded bytes of the segments in some rows, which fill them."""
        each = int(self.segment_bytes * _GROWTH[self.compression]) + _SEGMENT_EXTRA_BYTES
        return self.segments_in(rows) * each

    def codec_bytes(self, threads: int) -> int:
        """Bound of the memory for encoding segments with so many threads, and for those not written yet."""
        worst = int(self.segment_bytes * _GROWTH[self.compression]) + _SEGMENT_EXTRA_BYTES
        under_way = TILES_PER_THREAD * threads if threads > 1 else 1
        each = under_way * (self.segment_bytes + worst) + threads * (self.segment_bytes + _CODEC_BYTES)
        return each + min(BATCH_BYTES, self.segments * worst) + worst

    def empty_segment(self, rows: int) -> Pixels:
        """Return an uninitialised array for ``rows`` rows of a segment."""
        return np.empty((rows, self.segment_columns, self.spec.channels), self.spec.dtype)


def outgrows_classic(images: Sequence[TiffLayout], frame_bytes: int = 0) -> bool:
    """Whether a file of these images may outgrow 32-bit offsets, with so many bytes around each segment."""
    each = _SEGMENT_EXTRA_BYTES + _TABLE_BYTES + frame_bytes
    worst = sum(one.stored_bytes * _GROWTH[one.compression] + one.segments * each for one in images)
    return worst > _CLASSIC_BYTES


def choose_layout(spec: ImageSpec, like: Header | None, options: SinkOptions) -> TiffLayout:
    """Decide tiles or strips, their size and the compression.

    Raises ParameterError for options that TIFF does not have, UnsupportedImageError where the image
    is too large for TIFF or the compression cannot take it.
    """
    if max(spec.rows, spec.columns) > _MAX_SIDE_PX or spec.channels > _MAX_CHANNELS:
        raise UnsupportedImageError(
            f"TIFF holds up to {_MAX_SIDE_PX} px a side and {_MAX_CHANNELS} channels; "
            f"the output would be {spec}."
        )
    tile = _tile(like, options)
    coding = _coding(spec, like, options)
    quality = DEFAULT_QUALITY if options.quality is None else options.quality
    if tile is not None:
        segment_rows, segment_columns = tile
    else:
        segment_rows, segment_columns = _strip_rows(spec, coding.name), spec.columns
    if coding.name == "jpeg" and max(segment_rows, segment_columns) > _JPEG_SIDE_PX:
        raise UnsupportedImageError(
            f"A JPEG segment holds up to {_JPEG_SIDE_PX} px a side; the output's strips would be "
            f"{segment_columns} px wide. Ask for tiles or for deflate."
        )
    return TiffLayout(
        spec, tile is not None, segment_rows, segment_columns, coding.name, quality, coding.number
    )


def _strip_rows(spec: ImageSpec, compression: str) -> int:
    """Rows of a strip of about a quarter of a MiB."""
    rows = max(1, _STRIP_BYTES // spec.row_bytes)
    if compression == "jpeg":
        rows = math.ceil(rows / _JPEG_UNIT_ROWS) * _JPEG_UNIT_ROWS
    return min(rows, spec.rows)


def _tile(like: Header | None, options: SinkOptions) -> tuple[int, int] | None:
    """Rows and columns of a tile, or None for strips."""
    if options.tile is not None:
        if min(options.tile) < _TILE_UNIT or any(side % _TILE_UNIT for side in options.tile):
            raise ParameterError(
                f"The sides of a TIFF tile are multiples of {_TILE_UNIT} px; "
                f"{options.tile[0]} × {options.tile[1]} was asked for. Try 256 × 256."
            )
        return options.tile
    if like is None or like.layout.format != "tiff" or like.layout.tile is None:
        return None
    usable = min(like.layout.tile) >= _TILE_UNIT and not any(side % _TILE_UNIT for side in like.layout.tile)
    return like.layout.tile if usable else (256, 256)


def _coding(spec: ImageSpec, like: Header | None, options: SinkOptions) -> Coding:
    """Return the compression asked for, or the input's where the output can have it, or none."""
    jpeg_fits = spec.dtype == "uint8" and spec.channels in _JPEG_CHANNELS
    if options.compression is not None:
        asked = parse_coding(options.compression)
        if asked.name == "jpeg" and not jpeg_fits:
            raise UnsupportedImageError(
                f"JPEG in TIFF takes 1 or 3 channels of uint8; the output would be {spec}. Ask for deflate."
            )
        return asked
    if like is None or like.layout.format != "tiff":
        return parse_coding("none")
    same = like.layout.compression
    if same not in COMPRESSIONS or (same == "jpeg" and not jpeg_fits):
        return parse_coding("deflate")
    return parse_coding(same)
