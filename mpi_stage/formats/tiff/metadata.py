"""What a TIFF page says beside its pixels."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mpi_stage.formats.geo import (
    ASCII,
    DOUBLES,
    KEYS,
    PIXEL_SCALE,
    TIE_POINTS,
    TRANSFORMATION,
    geo_reference,
)
from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.metadata import orientation_exif
from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.directory import Directory, Value
from mpi_stage.formats.tiff.fields import Fields
from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.placement import Placement

GEO_TAGS = (PIXEL_SCALE, TIE_POINTS, TRANSFORMATION, KEYS, DOUBLES, ASCII)
_OTHER = {
    285: "page name",
    306: "date",
    315: "artist",
    codes.SUB_DIRECTORIES: "sub-images",
    700: "XMP",
    33_432: "copyright",
    33_723: "IPTC",
    34_377: "Photoshop settings",
    34_665: "EXIF directory",
    42_112: "GDAL metadata",
}
_PAIR = 2


def page_metadata(fields: Fields, others: Sequence[str] = ()) -> Metadata:
    """Return the page's metadata; what has no field of its own is named in ``other``, with ``others``."""
    found = fields.directory
    other = [name for code, name in _OTHER.items() if code in found]
    description = _text(_value(found, codes.DESCRIPTION))
    if description is not None and _structural(fields):
        # It tells a reader how the pixels of the old file lie; on the new file it would be false.
        if not fields.is_shaped:
            other.append("OME or ImageJ description")
        description = None
    if codes.PREMULTIPLIED in fields.extrasamples:
        other.append("premultiplied alpha")
    other += others
    geo = geo_reference({code: _value(found, code) for code in GEO_TAGS})
    if geo is None and any(code in found for code in GEO_TAGS):
        other.append("GeoTIFF tags that contradict one another")
    return Metadata(
        icc_profile=_bytes(_value(found, codes.ICC_PROFILE)),
        resolution=_resolution(found),
        description=description,
        exif=orientation_exif(_integer(found, codes.ORIENTATION, 1)),
        other=tuple(other),
        geo=geo,
        nodata=_text(_value(found, codes.NODATA)),
    )


def scaled(metadata: Metadata, page: Fields, level: ImageSpec) -> Metadata:
    """Return the metadata of a page as they are true of a smaller level of it."""
    across, down = page.imagewidth / level.columns, page.imagelength / level.rows
    geo = metadata.geo and metadata.geo.moved(Placement(across, 0, 0, 0, down, 0))
    resolution = metadata.resolution
    if resolution is not None:
        resolution = resolution[0] / across, resolution[1] / down, resolution[2]
    return replace(metadata, geo=geo, resolution=resolution)


def _structural(fields: Fields) -> bool:
    """Whether the description is machine-made and describes the file rather than the picture."""
    return bool(fields.is_shaped or fields.is_imagej or fields.is_ome)


def _value(found: Directory, code: int) -> Value | None:
    """Return a tag's value; None where it is absent or damaged, for the pixels do not need it."""
    with suppress(ValueError):
        return found.value(code)
    return None


def _integer(found: Directory, code: int, default: int) -> int:
    """Return a tag's one integer."""
    value = _value(found, code)
    return value if isinstance(value, int) and value else default


def _text(value: object) -> str | None:
    """Return text that says something, or None."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and value.strip() else None


def _bytes(value: object) -> bytes | None:
    """Return bytes that are not empty, or None."""
    return value if isinstance(value, bytes) and value else None


def _resolution(found: Directory) -> tuple[float, float, str] | None:
    """Return both resolutions and their unit where the page states them sensibly."""
    across, down = _value(found, codes.X_RESOLUTION), _value(found, codes.Y_RESOLUTION)
    unit = codes.RESOLUTION_UNITS.get(_integer(found, codes.RESOLUTION_UNIT, 2))
    if not isinstance(across, tuple) or not isinstance(down, tuple) or unit is None:
        return None
    if len(across) != _PAIR or len(down) != _PAIR or 0 in {*across, *down}:
        return None
    if unit == "none" and across == down == (1, 1):
        return None
    return across[0] / across[1], down[0] / down[1], unit
