"""Rotation by any angle: ``rotate``."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Fetch, Grid, Window, square_grid
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.arithmetic.interpolation import WEIGHTS, rounded
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.placement import Placement
from mpi_stage.operations.declaring.values import fill_value, number

_QUARTER = 90.0
_QUARTERS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
_TAPS = {"nearest": 1, "linear": 2, "cubic": 4}
BYTES_PER_PIXEL = 100
"""Temporaries for one pixel of a tile: places, fractions and weights in float64."""

COMPILED_BYTES_PER_VALUE = 30
"""Temporaries for one value where a compiled kernel makes the tile: its window and copies of it."""

BYTES_PER_VALUE = 40
"""Temporaries for one value of a tile: its window, about twice as large, and sums in float32."""


def _direction(params: Params) -> tuple[float, float]:
    """Return cosine and sine of the angle, exact for quarter turns."""
    degrees = number(params, "degrees")
    turns, rest = divmod(degrees, _QUARTER)
    if rest == 0:
        return _QUARTERS[int(turns) % 4]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def _output(spec: ImageSpec, params: Params) -> ImageSpec:
    if not params["expand"]:
        return spec
    cosine, sine = (abs(part) for part in _direction(params))
    return replace(
        spec,
        rows=max(1, round(spec.rows * cosine + spec.columns * sine)),
        columns=max(1, round(spec.columns * cosine + spec.rows * sine)),
    )


def inverse_matrix(params: Params, before: ImageSpec, after: ImageSpec) -> NDArray[np.float64]:
    """Return the 2 × 3 matrix from pixels after to pixels before, counted from pixel centres.

    The centres of both pictures belong to each other.
    """
    cosine, sine = _direction(params)
    x, y = (after.columns - 1) / 2, (after.rows - 1) / 2
    across, down = (before.columns - 1) / 2, (before.rows - 1) / 2
    return np.array(
        [
            [cosine, -sine, across - cosine * x + sine * y],
            [sine, cosine, down - sine * x - cosine * y],
        ]
    )


@dataclass(frozen=True, eq=False)
class _Rotate:
    grid: Grid
    before: ImageSpec
    matrix: NDArray[np.float64]
    interpolation: str
    fill: float
    rowwise: bool = False
    rereads: bool = True

    def windows(self, tile: Window) -> tuple[Window, ...]:
        rows, columns = self._box(tile)
        return (Window(_inside(rows, self.before.rows), _inside(columns, self.before.columns)),)

    def make(self, tile: Window, fetch: Fetch, out: Pixels) -> None:
        box = self._box(tile)
        (window,) = self.windows(tile)
        shape = (box.rows.height, box.columns.height, self.before.channels)
        around, spare = self._room(shape)
        if window.pixels:
            top, left = window.rows.first - box.rows.first, window.columns.first - box.columns.first
            fetch(window, around[top : top + window.rows.height, left : left + window.columns.height])
        if kernels:
            corners = (tile.rows.first, tile.columns.first, box.rows.first, box.columns.first)
            matrix = tuple(self.matrix.reshape(-1).tolist())
            kernels.warp(spare, out, matrix, corners, _TAPS[self.interpolation])
            return
        x, y = self._places(tile)
        if self.interpolation == "nearest":
            index = _flat(np.rint(y), np.rint(x), box)
            out[...] = around.reshape(-1, shape[2])[index]
        else:
            out[...] = rounded(self._between(around, x, y, box), self.before.dtype)

    def _room(self, shape: tuple[int, int, int]) -> tuple[Pixels, Pixels]:
        """Return an array of the fill value, and the same with another row below it."""
        rows, *pixels = shape
        spare = np.full((rows + 1, *pixels), self.fill, self.before.dtype)
        return spare[:rows], spare

    def _between(self, around: Pixels, x: Pixels, y: Pixels, box: Window) -> NDArray[np.float32]:
        """Return the values between pixels: first along the rows, then across them."""
        earlier, weigh = WEIGHTS[self.interpolation]
        floor_x, floor_y = np.floor(x), np.floor(y)
        across = weigh((x - floor_x).astype(np.float32))[..., np.newaxis]
        down = weigh((y - floor_y).astype(np.float32))[..., np.newaxis]
        index = _flat(floor_y - earlier, floor_x - earlier, box)
        pixels = around.reshape(-1, around.shape[2])
        total = np.zeros((*index.shape, around.shape[2]), np.float32)
        for row in range(down.shape[2]):
            line = np.zeros_like(total)
            for column in range(across.shape[2]):
                line += pixels[index + (row * around.shape[1] + column)] * across[:, :, column]
            total += line * down[:, :, row]
        return total

    def _places(self, tile: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where each pixel of a tile lies in the picture before."""
        x = np.arange(*tile.columns, dtype=np.float64)
        y = np.arange(*tile.rows, dtype=np.float64)[:, np.newaxis]
        across, down = (line[0] * x + (line[1] * y + line[2]) for line in self.matrix)
        return across, down

    def _box(self, tile: Window) -> Window:
        """Return the pixels that a tile needs, those outside the picture included.

        Places change in one direction along rows and columns, so the corners' are the outermost.
        """
        ends_x = np.array([tile.columns.first, tile.columns.end - 1], np.float64)
        ends_y = np.array([tile.rows.first, tile.rows.end - 1], np.float64)[:, np.newaxis]
        earlier, later = (0, 0) if self.interpolation == "nearest" else _reach(self.interpolation)
        spans = []
        for line in self.matrix[::-1]:
            places = line[0] * ends_x + (line[1] * ends_y + line[2])
            lowest, highest = math.floor(places.min()), math.ceil(places.max())
            spans.append(Rows(lowest - earlier, highest + later + 1))
        return Window(*spans)


def _reach(interpolation: str) -> tuple[int, int]:
    """Return how many pixels are needed before and after the one in which a place falls."""
    earlier, _ = WEIGHTS[interpolation]
    return earlier, earlier + 1


def _inside(places: Rows, length: int) -> Rows:
    """Return the part of some rows or columns that a picture has."""
    first = min(max(places.first, 0), length)
    return Rows(first, max(first, min(places.end, length)))


def _flat(rows: Pixels, columns: Pixels, box: Window) -> NDArray[np.intp]:
    """Return the numbers of pixels in a box, counted row by row."""
    down = rows.astype(np.intp) - box.rows.first
    return np.asarray(down * box.columns.height + (columns.astype(np.intp) - box.columns.first))


def _remap(params: Params, before: ImageSpec, after: ImageSpec) -> _Rotate:
    return _Rotate(
        grid=square_grid(after),
        before=before,
        matrix=inverse_matrix(params, before, after),
        interpolation=str(params["interpolation"]),
        fill=fill_value(params, before),
    )


def _placement(params: Params, before: ImageSpec, after: ImageSpec) -> Placement:
    (a, b, c), (d, e, f) = inverse_matrix(params, before, after)
    # From centres of pixels to their corners: half a pixel off on both sides.
    return Placement(a, b, c + 0.5 - (a + b) / 2, d, e, f + 0.5 - (d + e) / 2)


def _working_bytes(params: Params, before: ImageSpec, _slab_rows: int, _ranks: int) -> int:
    grid = square_grid(_output(before, params))
    if kernels:
        return grid.height * grid.width * COMPILED_BYTES_PER_VALUE * before.channels
    return grid.height * grid.width * (BYTES_PER_PIXEL + BYTES_PER_VALUE * before.channels)


ROTATE = Operation(
    name="rotate",
    label="Rotate",
    help="Turns the picture about its centre, counter-clockwise, by any angle. Quarter turns are better "
    "done by rotate90.",
    family="geometry",
    pattern=Pattern.GLOBAL,
    reference="cv2.warpAffine with cv2.getRotationMatrix2D about the centre",
    parameters=(
        Parameter(
            "degrees",
            Kind.FLOAT,
            "Angle; above zero counter-clockwise.",
            required=True,
            minimum=-360,
            maximum=360,
            unit="°",
        ),
        Parameter("expand", Kind.BOOL, "Make the picture large enough to hold all of itself.", default=False),
        Parameter(
            "interpolation",
            Kind.CHOICE,
            "How values between pixels are found; nearest makes no new values.",
            default="linear",
            choices=("nearest", "linear", "cubic"),
        ),
        Parameter(
            "fill",
            Kind.FLOAT,
            "The value of what was outside the picture, in its own values; integers round and clip it.",
            default=0.0,
        ),
    ),
    types=DTYPES,
    sees_alpha=True,
    cost=lambda params, spec: (
        {"nearest": 1.5, "linear": 2.5, "cubic": 5.5}[str(params["interpolation"])]
        * (1 + 0.5 * spec.channels)
    ),
    output=_output,
    collective="geometry",
    remap=_remap,
    placement=_placement,
    working_bytes=_working_bytes,
)
