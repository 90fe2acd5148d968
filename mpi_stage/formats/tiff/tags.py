"""The tags that describe an output image in its TIFF directory."""

import numpy as np

from mpi_stage.formats import geo
from mpi_stage.formats.geo import GeoReference
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.metadata import orientation
from mpi_stage.formats.tiff import codes
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
from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS

SOFTWARE = "halorow"
_COMPRESSION = {**codes.COMPRESSIONS_WRITTEN, **dict.fromkeys(LERC_INNER, codes.COMPRESSIONS_WRITTEN["lerc"])}
_UNIT = {name: number for number, name in codes.RESOLUTION_UNITS.items()}
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
    more = [] if nodata is None else [text(codes.NODATA, nodata)]
    tables = _tables(layout, offsets, counts, big=big)
    return [longs(codes.SUBFILE_TYPE, codes.REDUCED), *_pixel_tags(layout), *more, *tables]


def _tables(layout: TiffLayout, offsets: Offsets, counts: Offsets, *, big: bool) -> list[Tag]:
    """Return where the segments lie."""
    if layout.tiled:
        places, sizes = codes.TILE_OFFSETS, codes.TILE_COUNTS
    else:
        places, sizes = codes.STRIP_OFFSETS, codes.STRIP_COUNTS
    return [integers(places, offsets, big=big), integers(sizes, counts, big=big)]


def front_bytes(layout: TiffLayout, metadata: Metadata) -> int:
    """Return where the first segment begins."""
    nothing = np.zeros(layout.segments, np.uint64)
    return len(tiff_front(layout, metadata, nothing, nothing))


def _pixel_tags(layout: TiffLayout) -> list[Tag]:
    """Size, type, channels, segments and compression."""
    spec = layout.spec
    colour = spec.channels in (COLOUR_CHANNELS, ALPHA_CHANNELS)
    photometric = codes.RGB if colour else codes.BLACK_IS_ZERO
    extras = spec.channels - (COLOUR_CHANNELS if colour else 1)
    sample_format = codes.FLOAT if spec.dtype == "float32" else codes.UNSIGNED
    tags = [
        longs(codes.IMAGE_WIDTH, spec.columns),
        longs(codes.IMAGE_LENGTH, spec.rows),
        shorts(codes.BITS, *[8 * spec.itemsize] * spec.channels),
        shorts(codes.COMPRESSION, _COMPRESSION[layout.compression]),
        shorts(codes.SAMPLES, spec.channels),
        shorts(codes.PLANAR, codes.TOGETHER),
        shorts(codes.SAMPLE_FORMAT, *[sample_format] * spec.channels),
    ]
    if layout.compression == "jpeg" and colour:
        photometric = codes.YCBCR
        tags += [
            shorts(codes.YCBCR_SUBSAMPLING, 2, 2),
            rationals(codes.REFERENCE_BLACK_WHITE, *_FULL_RANGE_YCBCR),
        ]
    tags.append(shorts(codes.PHOTOMETRIC, photometric))
    if extras:
        meanings = [codes.UNASSOCIATED] if spec.has_alpha else [codes.UNSPECIFIED] * extras
        tags.append(shorts(codes.EXTRA_SAMPLES, *meanings))
    if layout.compression in LERC_INNER:
        tags.append(longs(codes.LERC_PARAMETERS, LERC_VERSION, LERC_INNER[layout.compression]))
    if layout.predictor != codes.NO_PREDICTOR:
        tags.append(shorts(codes.PREDICTOR, layout.predictor))
    if layout.tiled:
        tags += [
            longs(codes.TILE_WIDTH, layout.segment_columns),
            longs(codes.TILE_LENGTH, layout.segment_rows),
        ]
    else:
        tags.append(longs(codes.ROWS_PER_STRIP, layout.segment_rows))
    return tags


def _metadata_tags(metadata: Metadata) -> list[Tag]:
    """Profile, resolution, text and orientation, as far as there are any."""
    tags = [text(codes.SOFTWARE, SOFTWARE)]
    if metadata.icc_profile:
        tags.append(opaque(codes.ICC_PROFILE, metadata.icc_profile))
    if metadata.resolution:
        across, down, unit = metadata.resolution
        tags += [
            rationals(codes.X_RESOLUTION, across),
            rationals(codes.Y_RESOLUTION, down),
            shorts(codes.RESOLUTION_UNIT, _UNIT.get(unit, _UNIT["none"])),
        ]
    if metadata.description:
        tags.append(text(codes.DESCRIPTION, metadata.description))
    if (turn := orientation(metadata.exif)) != 1:
        tags.append(shorts(codes.ORIENTATION, turn))
    if metadata.geo is not None:
        tags += _geo_tags(metadata.geo)
    if metadata.nodata is not None:
        tags.append(text(codes.NODATA, metadata.nodata))
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
