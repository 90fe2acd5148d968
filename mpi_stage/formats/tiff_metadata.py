"""What a TIFF page says beside its pixels."""

from typing import Any

from mpi_stage.formats.base import Metadata
from mpi_stage.formats.geo import (
    ASCII,
    DOUBLES,
    KEYS,
    PIXEL_SCALE,
    TIE_POINTS,
    TRANSFORMATION,
    geo_reference,
)
from mpi_stage.formats.metadata import orientation_exif

_DESCRIPTION, _ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _UNIT, _PROFILE = 270, 274, 282, 283, 296, 34_675
NODATA = 42_113
GEO_TAGS = (PIXEL_SCALE, TIE_POINTS, TRANSFORMATION, KEYS, DOUBLES, ASCII)
_UNITS = {1: "none", 2: "inch", 3: "centimeter"}
_OTHER = {
    285: "page name",
    306: "date",
    315: "artist",
    330: "sub-images",
    700: "XMP",
    33_432: "copyright",
    33_723: "IPTC",
    34_377: "Photoshop settings",
    34_665: "EXIF directory",
    42_112: "GDAL metadata",
}
_ALPHA_PREMULTIPLIED = 1


def page_metadata(tags: Any, *, further_pages: bool) -> Metadata:  # noqa: ANN401 (tifffile's pages are untyped)
    """Return the page's metadata; what has no field of its own is named in ``other``."""
    found = tags.tags
    other = [name for code, name in _OTHER.items() if code in found]
    description = _text(_value(found, _DESCRIPTION))
    if description is not None and _structural(tags):
        # It tells a reader how the pixels of the old file lie; on the new file it would be false.
        if not tags.is_shaped:
            other.append("OME or ImageJ description")
        description = None
    if _ALPHA_PREMULTIPLIED in [int(kind) for kind in tags.extrasamples]:
        other.append("premultiplied alpha")
    if further_pages:
        other.append("further pages")
    geo = geo_reference({code: _value(found, code) for code in GEO_TAGS})
    if geo is None and any(code in found for code in GEO_TAGS):
        other.append("GeoTIFF tags that contradict one another")
    return Metadata(
        icc_profile=_bytes(_value(found, _PROFILE)),
        resolution=_resolution(found),
        description=description,
        exif=orientation_exif(int(_value(found, _ORIENTATION) or 1)),
        other=tuple(other),
        geo=geo,
        nodata=_text(_value(found, NODATA)),
    )


def _structural(tags: Any) -> bool:  # noqa: ANN401
    """Whether the description is machine-made and describes the file rather than the picture."""
    return bool(tags.is_shaped or tags.is_imagej or tags.is_ome)


def _value(found: Any, code: int) -> Any:  # noqa: ANN401
    """Return a tag's value, or None."""
    tag = found.get(code)
    return None if tag is None else tag.value


def _text(value: object) -> str | None:
    """Return text that says something, or None."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and value.strip() else None


def _bytes(value: object) -> bytes | None:
    """Return bytes that are not empty, or None."""
    return value if isinstance(value, bytes) and value else None


def _resolution(found: Any) -> tuple[float, float, str] | None:  # noqa: ANN401
    """Return both resolutions and their unit where the page states them sensibly."""
    across, down = _value(found, _X_RESOLUTION), _value(found, _Y_RESOLUTION)
    unit = _UNITS.get(int(_value(found, _UNIT) or 2))
    if not across or not down or unit is None or 0 in (*across, *down):
        return None
    if unit == "none" and across == down == (1, 1):
        return None
    return across[0] / across[1], down[0] / down[1], unit
