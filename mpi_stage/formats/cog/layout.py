"""How a Cloud-Optimized GeoTIFF is laid out: its levels, their tiles, and what stands where.

After OGC 21-026, *OGC Cloud Optimized GeoTIFF Standard 1.0*, and the layout of GDAL's COG driver
(https://gdal.org/drivers/raster/cog.html): all directories at the front, the image's first, then the
tiles of the smallest level, and so on up to those of the image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from mpi_stage.formats.headers import Header, Metadata
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.tiff.ifd import Offsets, front
from mpi_stage.formats.tiff.layout import TiffLayout, choose_layout, outgrows_classic
from mpi_stage.formats.tiff.tags import level_tags, page_tags
from mpi_stage.image import ImageSpec
from mpi_stage.rows.pyramid import halved, halving_bytes, made_bytes

TILE_PX = 512
COMPRESSION = "deflate"
FRAME_BYTES = 8
"""Around each tile: its size before it, its last four bytes repeated behind it."""

PUSHED_ROWS = 64
"""Rows are handed down to the next level so many at once."""

_STRUCTURE = (
    b"LAYOUT=IFDS_BEFORE_DATA\n"
    b"BLOCK_ORDER=ROW_MAJOR\n"
    b"BLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n"
    b"KNOWN_INCOMPATIBLE_EDITION=NO\n "
)
GHOST = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_STRUCTURE) + _STRUCTURE


@dataclass(frozen=True)
class CogLayout:
    """The levels of one file, the image first."""

    levels: tuple[TiffLayout, ...]

    @property
    def row_unit(self) -> int:
        """Slab boundaries must be multiples of this: of a tile, and of a pixel of the smallest level."""
        image = self.levels[0]
        return min(math.lcm(image.segment_rows, 2 ** (len(self.levels) - 1)), image.spec.rows)

    @cached_property
    def big(self) -> bool:
        """Whether the file may outgrow 32-bit offsets."""
        return outgrows_classic(self.levels, FRAME_BYTES)

    def encode_bytes(self, threads: int) -> int:
        """Bound of the memory that writing needs on one rank beside the rows that are handed in."""
        image = self.levels[0]
        total = image.encode_bytes(threads) + image.codec_bytes(threads)
        for above, level in pairwise(self.levels):
            total += level.encode_bytes(1) - level.codec_bytes(1) + 2 * level.segment_bytes
            # Rows that another began, once held and once on their way, beside those that this one began.
            total += 2 * level.segment_rows * level.spec.row_bytes + made_bytes(above.spec, PUSHED_ROWS)
        return total + halving_bytes(image.spec, PUSHED_ROWS)

    def front(self, metadata: Metadata, offsets: Sequence[Offsets], counts: Sequence[Offsets]) -> bytes:
        """Return the bytes before the first tile; their number does not depend on the tables."""
        directories = [page_tags(self.levels[0], metadata, offsets[0], counts[0], big=self.big)]
        directories += [
            level_tags(level, metadata.nodata, offsets[number], counts[number], big=self.big)
            for number, level in enumerate(self.levels[1:], 1)
        ]
        return front(directories, big=self.big, preamble=GHOST)

    def front_bytes(self, metadata: Metadata) -> int:
        """Return where the first tile's frame begins."""
        nothing = [np.zeros(level.segments, np.uint64) for level in self.levels]
        return len(self.front(metadata, nothing, nothing))

    def places(self, front_bytes: int, counts: Sequence[Offsets]) -> list[Offsets]:
        """Return where the tiles of each level begin, given their sizes."""
        found: list[Offsets] = []
        place = np.uint64(front_bytes)
        for sizes in reversed(counts):
            ends = place + np.cumsum(sizes + np.uint64(FRAME_BYTES), dtype=np.uint64)
            found.insert(0, ends - sizes - np.uint64(FRAME_BYTES // 2))
            place = ends[-1]
        return found


def choose_cog(spec: ImageSpec, like: Header | None, options: SinkOptions) -> CogLayout:
    """Decide tiles and compression of an image, and its levels: each half as large, down to a single tile.

    Raises as :func:`choose_layout`.
    """
    tile = options.tile or (TILE_PX, TILE_PX)
    from_tiff = like is not None and like.layout.format == "tiff"
    compression = options.compression or (None if from_tiff else COMPRESSION)
    image = choose_layout(spec, like, replace(options, tile=tile, compression=compression))
    levels = [image]
    while levels[-1].segments > 1:
        levels.append(replace(image, spec=halved(levels[-1].spec)))
    return CogLayout(tuple(levels))
