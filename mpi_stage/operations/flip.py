"""The picture seen in a mirror: ``flip``."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.operations.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.placement import Placement
from mpi_stage.partition import Rows
from mpi_stage.window import Grid, Window, row_grid


@dataclass(frozen=True)
class _Flip:
    grid: Grid
    rows: int
    rowwise: bool
    rereads: bool = False

    def windows(self, tile: Window) -> tuple[Window, ...]:
        if self.rowwise:
            return (tile,)
        return (Window(Rows(self.rows - tile.rows.end, self.rows - tile.rows.first), tile.columns),)

    def make(self, tile: Window, parts: Sequence[Pixels]) -> Pixels:  # noqa: ARG002  (the protocol's arguments)
        return np.ascontiguousarray(parts[0][:, ::-1] if self.rowwise else parts[0][::-1])


def _remap(params: Params, before: ImageSpec, after: ImageSpec) -> _Flip:
    return _Flip(row_grid(before, after), before.rows, rowwise=params["axis"] == "horizontal")


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
