"""Where on Earth a picture lies, as GeoTIFF says it, and what moving its pixels makes of that.

After OGC 19-008r4, *OGC GeoTIFF Standard 1.1*.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mpi_stage.operations.declaring.placement import Placement

PIXEL_SCALE, TIE_POINTS, TRANSFORMATION = 33_550, 33_922, 34_264
KEYS, DOUBLES, ASCII = 34_735, 34_736, 34_737
_RASTER_TYPE_KEY = 1025
_PIXEL_IS_POINT = 2
_KEY_VALUES = 4
_POINT_VALUES = 6
_SCALE_VALUES = 3
_MATRIX_VALUES = 16


@dataclass(frozen=True)
class GeoReference:
    """The tags of a GeoTIFF.

    Attributes
    ----------
    keys: the key directory, groups of four integers, the header first.
    doubles, ascii: the values that the keys point to.
    scale: model units per pixel across, down and in height; empty if there are none.
    points: tie points, each column, row, height, and x, y, z of the model.
    matrix: 4 × 4 numbers, row by row, that turn column, row, height into x, y, z; empty if none.

    """

    keys: tuple[int, ...]
    doubles: tuple[float, ...] = ()
    ascii: str = ""
    scale: tuple[float, ...] = ()
    points: tuple[float, ...] = ()
    matrix: tuple[float, ...] = ()

    @property
    def centred(self) -> bool:
        """Whether columns and rows are counted from the centre of the first pixel, not its corner."""
        groups = [self.keys[start : start + _KEY_VALUES] for start in range(0, len(self.keys), _KEY_VALUES)]
        return any(group[0] == _RASTER_TYPE_KEY and group[-1] == _PIXEL_IS_POINT for group in groups[1:])

    def moved(self, placement: Placement) -> "GeoReference":
        """Return the reference of an image whose pixels came from the places that ``placement`` says."""
        if self.centred:
            a, b, c, d, e, f = placement
            placement = Placement(a, b, c + (a + b - 1) / 2, d, e, f + (d + e - 1) / 2)
        if self.matrix:
            return replace(self, matrix=_composed(self.matrix, placement))
        straight = placement.b == placement.d == 0 and placement.a > 0 and placement.e > 0
        if self.scale and not straight and len(self.points) == _POINT_VALUES:
            return replace(self, scale=(), points=(), matrix=_composed(self._as_matrix(), placement))
        back = placement.inverse()
        points: list[float] = []
        for start in range(0, len(self.points), _POINT_VALUES):
            column, row, *rest = self.points[start : start + _POINT_VALUES]
            points += [*back.moved(column, row), *rest]
        scale = self.scale
        if scale:
            across, down, *height = scale
            scale = (across * placement.a, down * placement.e, *height)
        return replace(self, scale=scale, points=tuple(points))

    def _as_matrix(self) -> tuple[float, ...]:
        """Return the matrix that means the same as the scale and the one tie point."""
        column, row, height, x, y, z = self.points
        across, down, up = self.scale
        return (
            *(across, 0.0, 0.0, x - column * across),
            *(0.0, -down, 0.0, y + row * down),
            *(0.0, 0.0, up, z - height * up),
            *(0.0, 0.0, 0.0, 1.0),
        )


def _composed(matrix: tuple[float, ...], placement: Placement) -> tuple[float, ...]:
    """Return the matrix that first asks ``placement`` where a pixel came from."""
    a, b, c, d, e, f = placement
    rows = [matrix[start : start + 4] for start in range(0, _MATRIX_VALUES, 4)]
    return tuple(
        value
        for across, down, up, shift in rows
        for value in (across * a + down * d, across * b + down * e, up, across * c + down * f + shift)
    )


def geo_reference(tags: Mapping[int, object]) -> GeoReference | None:
    """Return what the tags of a page say, given their values by code; None where they say nothing whole."""
    scale, points, matrix = (_floats(tags.get(code)) for code in (PIXEL_SCALE, TIE_POINTS, TRANSFORMATION))
    keys = tuple(int(value) for value in _floats(tags.get(KEYS)))
    if len(keys) % _KEY_VALUES or len(points) % _POINT_VALUES:
        return None
    if len(scale) not in {0, _SCALE_VALUES} or len(matrix) not in {0, _MATRIX_VALUES}:
        return None
    if not (keys or points or matrix):
        return None
    text = tags.get(ASCII)
    return GeoReference(
        keys=keys,
        doubles=_floats(tags.get(DOUBLES)),
        ascii=text if isinstance(text, str) else "",
        scale=scale,
        points=points,
        matrix=matrix,
    )


def _floats(values: object) -> tuple[float, ...]:
    return tuple(float(value) for value in values) if isinstance(values, tuple | list) else ()
