"""The picture in another size: ``resize``."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_stage.errors import ParameterError
from mpi_stage.geometry.window import Fetch, Grid, Window
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.arithmetic.axis_weights import AxisWeights, axis_weights
from mpi_stage.operations.arithmetic.interpolation import rounded
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.placement import Placement
from mpi_stage.operations.declaring.values import integer, number

MAX_SIDE_PX = 1_000_000
TILE_VALUES = 1 << 20
"""A tile and what it is made of have about this many values each, where that is possible."""

BYTES_PER_VALUE = 24
"""Temporaries for each value of the larger of a tile and its window: four or five float32."""

COMPILED_BYTES_PER_VALUE = 12
"""The same where a compiled kernel makes the tile: its window alone."""

_FEW_TAPS = 16


def _output(spec: ImageSpec, params: Params) -> ImageSpec:
    """Return the size after. Raises ParameterError where none is given, or two."""
    if params["scale"] is not None:
        if params["width"] is not None or params["height"] is not None:
            raise ParameterError("resize takes either scale or width and height; leave one out")
        factor = number(params, "scale")
        return _sized(spec, spec.rows * factor, spec.columns * factor)
    if params["width"] is None and params["height"] is None:
        raise ParameterError("resize needs width, height, both, or scale; for instance scale=0.5")
    if params["width"] is None:
        height = integer(params, "height")
        return _sized(spec, height, spec.columns * height / spec.rows)
    width = integer(params, "width")
    if params["height"] is None:
        return _sized(spec, spec.rows * width / spec.columns, width)
    return _sized(spec, integer(params, "height"), width)


def _sized(spec: ImageSpec, rows: float, columns: float) -> ImageSpec:
    after = replace(spec, rows=max(1, round(rows)), columns=max(1, round(columns)))
    if max(after.rows, after.columns) > MAX_SIDE_PX:
        raise ParameterError(
            f"resize would make {after.columns} × {after.rows} px; a side may have {MAX_SIDE_PX}. Choose less"
        )
    return after


@dataclass(frozen=True, eq=False)
class _Resize:
    """First the columns of every row are weighed, then the rows, each by its absolute place."""

    grid: Grid
    down: AxisWeights
    across: AxisWeights
    dtype: str
    nearest: bool
    rowwise: bool = False

    @property
    def rereads(self) -> bool:
        """Whether tiles are narrower than the picture."""
        return self.grid.width < self.grid.columns

    def windows(self, tile: Window) -> tuple[Window, ...]:
        return (Window(self.down.needed(tile.rows), self.across.needed(tile.columns)),)

    def make(self, tile: Window, fetch: Fetch, out: Pixels) -> None:
        (window,) = self.windows(tile)
        pixels = fetch(window)
        across = self.across.index[tile.columns.first : tile.columns.end] - window.columns.first
        down = self.down.index[tile.rows.first : tile.rows.end] - window.rows.first
        across_weights = self.across.weights[tile.columns.first : tile.columns.end]
        down_weights = self.down.weights[tile.rows.first : tile.rows.end]
        # A value times one is itself, but for the spelling of a NaN.
        compiled = kernels if not self.nearest or self.dtype != "float32" else None
        if compiled and max(self.across.taps, self.down.taps) <= _FEW_TAPS:
            compiled.resize(pixels, out, _by_tap(across, across_weights), _by_tap(down, down_weights))
        elif self.nearest:
            out[...] = pixels[down[:, 0]][:, across[:, 0]]
        else:
            rows = weigh(pixels.astype(np.float32), across, across_weights, axis=1)
            out[...] = rounded(weigh(rows, down, down_weights, axis=0), self.dtype)


def _by_tap(index: NDArray[np.intp], weights: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return tables of an axis (results × taps) as the compiled kernel takes them."""
    return (
        np.ascontiguousarray(index.T, np.int32)[:, :, np.newaxis],
        np.ascontiguousarray(weights.T)[:, :, np.newaxis],
    )


def weigh(
    values: NDArray[Any], index: NDArray[np.intp], weights: NDArray[np.float32], *, axis: int
) -> NDArray[Any]:
    """Return sums of ``weights`` times the values at ``index`` (both results × taps) along an axis.

    Each sum is added in an order that depends on the number of taps alone.
    """
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    if index.shape[1] <= _FEW_TAPS:
        total = np.take(values, index[:, 0], axis=axis) * weights[:, 0].reshape(shape)
        for tap in range(1, index.shape[1]):
            total += np.take(values, index[:, tap], axis=axis) * weights[:, tap].reshape(shape)
        return total
    products = np.take(values, index.T, axis=axis)
    lanes = (index.shape[1], len(index))
    products *= weights.T.reshape((*lanes, 1, 1) if axis == 0 else (1, *lanes, 1))
    return _halved(products, axis)


def _halved(products: NDArray[Any], axis: int) -> NDArray[Any]:
    """Add up one axis in pairs, then the sums in pairs, and so on."""
    lanes = np.moveaxis(products, axis, 0)
    while len(lanes) > 1:
        half, odd = divmod(len(lanes), 2)
        sums = lanes[:half] + lanes[half : 2 * half]
        if odd:
            sums[0] += lanes[-1]
        lanes = sums
    return np.ascontiguousarray(lanes[0])


def _axes(params: Params, before: ImageSpec, after: ImageSpec) -> tuple[AxisWeights, AxisWeights]:
    kind = str(params["interpolation"])
    shrinks = after.rows <= before.rows and after.columns <= before.columns
    return (
        axis_weights(before.rows, after.rows, kind, shrinks=shrinks),
        axis_weights(before.columns, after.columns, kind, shrinks=shrinks),
    )


def _grid(params: Params, before: ImageSpec, after: ImageSpec) -> Grid:
    """Choose tiles as wide as the picture if their windows stay small, else narrower ones."""
    height, width = after.rows, after.columns
    while _values(params, before, after, height, width) > TILE_VALUES and height > 1:
        height = -(-height // 2)
    while _values(params, before, after, height, width) > TILE_VALUES and width > 1:
        width = -(-width // 2)
    return Grid(height, width, after.columns)


def _values(params: Params, before: ImageSpec, after: ImageSpec, height: int, width: int) -> int:
    """Return the values of a tile of ``height`` × ``width`` px, or of its window if that has more."""
    taps = {"nearest": 1, "linear": 2, "area": 2, "cubic": 4, "lanczos": 8}[str(params["interpolation"])]
    rows = min(before.rows, math.ceil(height * before.rows / after.rows) + taps)
    columns = min(before.columns, math.ceil(width * before.columns / after.columns) + taps)
    return max(rows, height) * max(columns, width) * before.channels


def _remap(params: Params, before: ImageSpec, after: ImageSpec) -> _Resize:
    down, across = _axes(params, before, after)
    nearest = params["interpolation"] == "nearest"
    return _Resize(_grid(params, before, after), down, across, before.dtype, nearest)


def _working_bytes(params: Params, before: ImageSpec, _slab_rows: int, _ranks: int) -> int:
    after = _output(before, params)
    grid = _grid(params, before, after)
    tables = 12 * 2 * (8 * (after.rows + after.columns) + before.rows + before.columns)
    each = COMPILED_BYTES_PER_VALUE if kernels else BYTES_PER_VALUE
    return _values(params, before, after, grid.height, grid.width) * each + tables


def _placement(_params: Params, before: ImageSpec, after: ImageSpec) -> Placement:
    return Placement(before.columns / after.columns, 0, 0, 0, before.rows / after.rows, 0)


def _cost(params: Params, spec: ImageSpec) -> float:
    each = {"nearest": 0.3, "linear": 0.5, "area": 0.5, "cubic": 1.2, "lanczos": 3.3}
    after = _output(spec, params)
    return (0.3 + each[str(params["interpolation"])] * after.pixels / spec.pixels) * spec.channels


RESIZE = Operation(
    name="resize",
    label="Resize",
    help="Makes the picture larger or smaller. Give scale, or width and height; with one of these the other "
    "keeps the proportions.",
    family="geometry",
    pattern=Pattern.GLOBAL,
    reference="cv2.resize, given the size",
    parameters=(
        Parameter("width", Kind.INT, "Columns afterwards.", minimum=1, maximum=MAX_SIDE_PX, unit="px"),
        Parameter("height", Kind.INT, "Rows afterwards.", minimum=1, maximum=MAX_SIDE_PX, unit="px"),
        Parameter(
            "scale",
            Kind.FLOAT,
            "Factor for both sides, instead of width and height.",
            minimum=1e-4,
            maximum=100,
        ),
        Parameter(
            "interpolation",
            Kind.CHOICE,
            "How values between pixels are found. area is the mean of what a pixel covers, best for making "
            "smaller; cubic and lanczos are sharper than linear; nearest makes no new values.",
            default="linear",
            choices=("nearest", "linear", "cubic", "area", "lanczos"),
        ),
    ),
    sees_alpha=True,
    types=DTYPES,
    cost=_cost,
    output=_output,
    collective="geometry",
    remap=_remap,
    placement=_placement,
    working_bytes=_working_bytes,
)
