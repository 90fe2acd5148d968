"""The picture seen in a mirror: ``flip``."""

from dataclasses import dataclass

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Fetch, Grid, Window, row_grid
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.operations.arithmetic.moves import flip
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.placement import Placement


@dataclass(frozen=True)
class _Flip:
    grid: Grid
    rows: int
    columns: int
    rowwise: bool
    rereads: bool = False

    def windows(self, tile: Window) -> tuple[Window, ...]:
        if self.rowwise:
            columns = Rows(self.columns - tile.columns.end, self.columns - tile.columns.first)
            return (Window(tile.rows, columns),)
        return (Window(Rows(self.rows - tile.rows.end, self.rows - tile.rows.first), tile.columns),)

    def make(self, tile: Window, fetch: Fetch, out: Pixels) -> None:
        (window,) = self.windows(tile)
        flip(fetch(window), "horizontal" if self.rowwise else "vertical", out)


def _remap(params: Params, before: ImageSpec, after: ImageSpec) -> _Flip:
    return _Flip(row_grid(before, after), before.rows, before.columns, rowwise=params["axis"] == "horizontal")


def _placement(params: Params, before: ImageSpec, _after: ImageSpec) -> Placement:
    if params["axis"] == "horizontal":
        return Placement(-1, 0, before.columns, 0, 1, 0)
    return Placement(1, 0, 0, 0, -1, before.rows)


FLIP = Operation(
    name="flip",
    label="Flip",
    help="Mirrors the picture: left and right change places, or top and bottom.",
    family="geometry",
    pattern=Pattern.GLOBAL,
    reference="numpy.flip",
    parameters=(
        Parameter(
            "axis",
            Kind.CHOICE,
            "horizontal: left becomes right; vertical: top becomes bottom.",
            default="horizontal",
            choices=("horizontal", "vertical"),
        ),
    ),
    types=(*DTYPES, "uint32"),
    sees_alpha=True,
    cost=lambda _params, spec: 0.3 * spec.channels * spec.itemsize,
    collective="geometry",
    moves_values=True,
    remap=_remap,
    placement=_placement,
)
