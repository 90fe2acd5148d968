"""Part of the picture: ``crop``."""

from dataclasses import dataclass, replace

from mpi_stage.errors import ParameterError
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Fetch, Grid, Window, row_grid
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.placement import Placement
from mpi_stage.operations.declaring.values import integer


def _bounds(spec: ImageSpec, params: Params) -> Window:
    """Return the pixels that stay. Raises ParameterError where they are not all in the picture."""
    left, top = integer(params, "x"), integer(params, "y")
    if left >= spec.columns or top >= spec.rows:
        raise ParameterError(
            f"crop begins at x={left}, y={top}, outside the picture of {spec.columns} × {spec.rows} px; "
            f"x goes up to {spec.columns - 1} and y up to {spec.rows - 1}"
        )
    width = spec.columns - left if params["width"] is None else integer(params, "width")
    height = spec.rows - top if params["height"] is None else integer(params, "height")
    if left + width > spec.columns or top + height > spec.rows:
        raise ParameterError(
            f"crop reaches to x={left + width}, y={top + height}; the picture has {spec.columns} × "
            f"{spec.rows} px: from x={left}, y={top} on, width goes up to {spec.columns - left} and "
            f"height up to {spec.rows - top}. Leave them out to crop up to the edge, or pad first"
        )
    return Window(Rows(top, top + height), Rows(left, left + width))


def _output(spec: ImageSpec, params: Params) -> ImageSpec:
    bounds = _bounds(spec, params)
    return replace(spec, rows=bounds.rows.height, columns=bounds.columns.height)


@dataclass(frozen=True)
class _Crop:
    grid: Grid
    bounds: Window
    rowwise: bool
    rereads: bool = False

    def windows(self, tile: Window) -> tuple[Window, ...]:
        top, left = self.bounds.rows.first, self.bounds.columns.first
        rows = Rows(top + tile.rows.first, top + tile.rows.end)
        return (Window(rows, Rows(left + tile.columns.first, left + tile.columns.end)),)

    def make(self, tile: Window, fetch: Fetch, out: Pixels) -> None:
        (window,) = self.windows(tile)
        fetch(window, out)


def _remap(params: Params, before: ImageSpec, after: ImageSpec) -> _Crop:
    return _Crop(row_grid(after, after), _bounds(before, params), rowwise=before.rows == after.rows)


def _placement(params: Params, before: ImageSpec, _after: ImageSpec) -> Placement:
    bounds = _bounds(before, params)
    return Placement(1, 0, bounds.columns.first, 0, 1, bounds.rows.first)


CROP = Operation(
    name="crop",
    label="Crop",
    help="Keeps a rectangle of the picture. Without width or height it reaches up to the edge.",
    family="geometry",
    pattern=Pattern.GLOBAL,
    reference="numpy slicing",
    parameters=(
        Parameter("x", Kind.INT, "First column that stays.", default=0, minimum=0, unit="px"),
        Parameter("y", Kind.INT, "First row that stays.", default=0, minimum=0, unit="px"),
        Parameter("width", Kind.INT, "Columns that stay; up to the edge if left out.", minimum=1, unit="px"),
        Parameter("height", Kind.INT, "Rows that stay; up to the edge if left out.", minimum=1, unit="px"),
    ),
    types=(*DTYPES, "uint32"),
    sees_alpha=True,
    cost=lambda _params, spec: 0.1 * spec.channels * spec.itemsize,
    output=_output,
    collective="geometry",
    moves_values=True,
    remap=_remap,
    placement=_placement,
)
