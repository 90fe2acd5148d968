"""The tags that describe an output image in its TIFF directory."""

import numpy as np

from mpi_stage.formats import geo
from mpi_stage.formats.base import Metadata
from mpi_stage.formats.geo import GeoReference
from mpi_stage.formats.metadata import orientation
from mpi_stage.formats.tiff.coding import LERC_INNER, LERC_VERSION
from mpi_stage.formats.tiff.ifd import (
    Offsets,
    Tag,
    doubles,
    front,
    integers,
    longs,
    opaque,
    rationals,
    shorts,
    text,
)
from mpi_stage.formats.tiff.layout import TiffLayout
from mpi_stage.formats.tiff.metadata import NODATA
from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS

SOFTWARE = "halorow"
_SUBFILE_TYPE, _REDUCED = 254, 1
_LERC, _LERC_PARAMETERS = 34_887, 50_674
_COMPRESSION = {
    "none": 1,
    "lzw": 5,
    "jpeg": 7,
    "deflate": 8,
    "zstd": 50_000,
    **dict.fromkeys(LERC_INNER, _LERC),
}
_UNIT = {"none": 1, "inch": 2, "centimeter": 3}
_GRAY, _RGB, _YCBCR = 1, 2, 6
_ALPHA_UNASSOCIATED = 2
_FULL_RANGE_YCBCR = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)


def tiff_front(layout: TiffLayout, metadata: Metadata, offsets: Offsets, counts: Offsets) -> bytes:
    """Return the bytes of the file before the first segment; their number does not depend on the tables."""
    return front([page_tags(layout, metadata, offsets, counts, big=layout.big)], big=layout.big)


def page_tags(
    layout: TiffLayout, metadata: Metadata, offsets: Offsets, counts: Offsets, *, big: bool
) -> list[Tag]:
    """Return the directory of an image."""
    return [*_pixel_tags(layout), *_metadata_tags(metadata), *_tables(layout, offsets, counts, big=big)]


def level_tags(
    layout: TiffLayout, nodata: str | None, offsets: Offsets, counts: Offsets, *, big: bool
) -> list[Tag]:
    """Return the directory of a smaller level of an image."""
    more = [] if nodata is None else [text(NODATA, nodata)]
    tables = _tables(layout, offsets, counts, big=big)
    return [longs(_SUBFILE_TYPE, _REDUCED), *_pixel_tags(layout), *more, *tables]


def _tables(layout: TiffLayout, offsets: Offsets, counts: Offsets, *, big: bool) -> list[Tag]:
    """Return where the segments lie."""
    codes = (324, 325) if layout.tiled else (273, 279)
    return [integers(codes[0], offsets, big=big), integers(codes[1], counts, big=big)]


def front_bytes(layout: TiffLayout, metadata: Metadata) -> int:
    """Return where the first segment begins."""
    nothing = np.zeros(layout.segments, np.uint64)
    return len(tiff_front(layout, metadata, nothing, nothing))


def _pixel_tags(layout: TiffLayout) -> list[Tag]:
    """Size, type, channels, segments and compression."""
    spec = layout.spec
    colour = spec.channels in (COLOUR_CHANNELS, ALPHA_CHANNELS)
    photometric = _RGB if colour else _GRAY
    extras = spec.channels - (COLOUR_CHANNELS if colour else 1)
    sample_format = 3 if spec.dtype == "float32" else 1
    tags = [
        longs(256, spec.columns),
        longs(257, spec.rows),
        shorts(258, *[8 * spec.itemsize] * spec.channels),
        shorts(259, _COMPRESSION[layout.compression]),
        shorts(277, spec.channels),
        shorts(284, 1),
        shorts(339, *[sample_format] * spec.channels),
    ]
    if layout.compression == "jpeg" and colour:
        photometric = _YCBCR
        tags += [shorts(530, 2, 2), rationals(532, *_FULL_RANGE_YCBCR)]
    tags.append(shorts(262, photometric))
    if extras:
        tags.append(shorts(338, *([_ALPHA_UNASSOCIATED] if spec.has_alpha else [0] * extras)))
    if layout.compression in LERC_INNER:
        tags.append(longs(_LERC_PARAMETERS, LERC_VERSION, LERC_INNER[layout.compression]))
    if layout.predictor != 1:
        tags.append(shorts(317, layout.predictor))
    if layout.tiled:
        tags += [longs(322, layout.segment_columns), longs(323, layout.segment_rows)]
    else:
        tags.append(longs(278, layout.segment_rows))
    return tags


def _metadata_tags(metadata: Metadata) -> list[Tag]:
    """Profile, resolution, text and orientation, as far as there are any."""
    tags = [text(305, SOFTWARE)]
    if metadata.icc_profile:
        tags.append(opaque(34_675, metadata.icc_profile))
    if metadata.resolution:
        across, down, unit = metadata.resolution
        tags += [rationals(282, across), rationals(283, down), shorts(296, _UNIT.get(unit, 1))]
    if metadata.description:
        tags.append(text(270, metadata.description))
    if (turn := orientation(metadata.exif)) != 1:
        tags.append(shorts(274, turn))
    if metadata.geo is not None:
        tags += _geo_tags(metadata.geo)
    if metadata.nodata is not None:
        tags.append(text(NODATA, metadata.nodata))
    return tags


def _geo_tags(reference: GeoReference) -> list[Tag]:
    """Return the tags of a georeference that say anything."""
    numbers = {
        geo.PIXEL_SCALE: reference.scale,
        geo.TIE_POINTS: reference.points,
        geo.TRANSFORMATION: reference.matrix,
        geo.DOUBLES: reference.doubles,
    }
    tags = [doubles(code, *values) for code, values in numbers.items() if values]
    if reference.keys:
        tags.append(shorts(geo.KEYS, *reference.keys))
    if reference.ascii:
        tags.append(text(geo.ASCII, reference.ascii))
    return tags
