"""Quarter turns, which move every pixel to a whole place: ``rotate90``."""

from dataclasses import dataclass, replace

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Fetch, Grid, Window, row_grid, square_grid
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.operations.arithmetic.moves import turn
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.placement import Placement
from mpi_stage.operations.declaring.values import integer

_ONE, _HALF, _THREE = 1, 2, 3


def _output(spec: ImageSpec, params: Params) -> ImageSpec:
    if integer(params, "turns") == _HALF:
        return spec
    return replace(spec, rows=spec.columns, columns=spec.rows)


@dataclass(frozen=True)
class _Rotate90:
    grid: Grid
    before: ImageSpec
    turns: int
    rowwise: bool = False

    @property
    def rereads(self) -> bool:
        """Whether rows become columns."""
        return self.turns != _HALF

    def windows(self, tile: Window) -> tuple[Window, ...]:
        rows, columns = tile
        if self.turns == _ONE:
            return (Window(columns, _backwards(rows, self.before.columns)),)
        if self.turns == _THREE:
            return (Window(_backwards(columns, self.before.rows), rows),)
        return (Window(_backwards(rows, self.before.rows), _backwards(columns, self.before.columns)),)

    def make(self, tile: Window, fetch: Fetch, out: Pixels) -> None:
        (window,) = self.windows(tile)
        turn(fetch(window), self.turns, out)


def _backwards(places: Rows, length: int) -> Rows:
    """Return the same places counted from the other end of an axis."""
    return Rows(length - places.end, length - places.first)


def _remap(params: Params, before: ImageSpec, after: ImageSpec) -> _Rotate90:
    turns = integer(params, "turns")
    return _Rotate90(row_grid(before, after) if turns == _HALF else square_grid(after), before, turns)


def _placement(params: Params, before: ImageSpec, _after: ImageSpec) -> Placement:
    turns = integer(params, "turns")
    if turns == _ONE:
        return Placement(0, -1, before.columns, 1, 0, 0)
    if turns == _HALF:
        return Placement(-1, 0, before.columns, 0, -1, before.rows)
    return Placement(0, 1, 0, -1, 0, before.rows)


ROTATE90 = Operation(
    name="rotate90",
    label="Quarter turns",
    help="Turns the picture by 90, 180 or 270 degrees, counter-clockwise; no pixel changes its value.",
    family="geometry",
    pattern=Pattern.GLOBAL,
    reference="numpy.rot90",
    parameters=(
        Parameter(
            "turns",
            Kind.INT,
            "Quarter turns, counter-clockwise.",
            default=1,
            minimum=1,
            maximum=3,
        ),
    ),
    types=(*DTYPES, "uint32"),
    sees_alpha=True,
    cost=lambda _params, spec: 0.8 * spec.channels * spec.itemsize,
    output=_output,
    collective="geometry",
    moves_values=True,
    remap=_remap,
    placement=_placement,
)
