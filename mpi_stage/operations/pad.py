"""More room around the picture: ``pad``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_stage.borders import OUTSIDE, border_index
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.operations.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.placement import Placement
from mpi_stage.operations.values import fill_value, integer
from mpi_stage.partition import Rows
from mpi_stage.window import Grid, Window, row_grid

MAX_PAD_PX = 1_000_000

Places = NDArray[np.intp]


def _output(spec: ImageSpec, params: Params) -> ImageSpec:
    top, bottom, left, right = (integer(params, side) for side in ("top", "bottom", "left", "right"))
    return replace(spec, rows=spec.rows + top + bottom, columns=spec.columns + left + right)


@dataclass(frozen=True, eq=False)
class _Pad:
    """``rows`` and ``columns`` say of each row and column of the result which one it repeats."""

    grid: Grid
    rows: Places
    columns: Places
    fill: float
    rowwise: bool
    rereads: bool = False

    def windows(self, tile: Window) -> tuple[Window, ...]:
        columns = _reach(_cut(self.columns, tile.columns))
        return tuple(Window(rows, columns) for rows in _runs(_cut(self.rows, tile.rows)))

    def make(self, tile: Window, parts: Sequence[Pixels]) -> Pixels:
        rows, columns = _cut(self.rows, tile.rows), _cut(self.columns, tile.columns)
        if not parts:
            raise ValueError("a tile has no window")
        there = np.concatenate([np.arange(*run) for run in _runs(rows)])
        pixels = parts[0] if len(parts) == 1 else np.concatenate(parts)
        # A row outside the picture takes any row here and is filled below.
        made = pixels[np.searchsorted(there, rows)][:, np.maximum(columns - _reach(columns).first, 0)]
        made[rows == OUTSIDE] = self.fill
        made[:, columns == OUTSIDE] = self.fill
        return made


def _cut(places: Places, part: Rows) -> Places:
    return places[part.first : part.end]


def _reach(places: Places) -> Rows:
    """Return the columns from the first to the last that a tile repeats; one where it repeats none."""
    inside = places[places != OUTSIDE]
    return Rows(int(inside.min()), int(inside.max()) + 1) if len(inside) else Rows(0, 1)


def _runs(places: Places) -> tuple[Rows, ...]:
    """Return the rows that a tile repeats as runs, top to bottom; one row where it repeats none."""
    inside: NDArray[Any] = np.unique(places[places != OUTSIDE])
    if not len(inside):
        return (Rows(0, 1),)
    cuts = np.flatnonzero(np.diff(inside) > 1) + 1
    return tuple(Rows(int(run[0]), int(run[-1]) + 1) for run in np.split(inside, cuts))


def _remap(params: Params, before: ImageSpec, after: ImageSpec) -> _Pad:
    top, bottom, left, right = (integer(params, side) for side in ("top", "bottom", "left", "right"))
    border = Border(str(params["border"]))
    return _Pad(
        grid=row_grid(before, after),
        rows=border_index(before.rows, top, bottom, border),
        columns=border_index(before.columns, left, right, border),
        fill=fill_value(params, before),
        rowwise=not top and not bottom,
    )


def _placement(params: Params, _before: ImageSpec, _after: ImageSpec) -> Placement:
    return Placement(1, 0, -integer(params, "left"), 0, 1, -integer(params, "top"))


def _side(name: str) -> Parameter:
    where = {"top": "above", "bottom": "below", "left": "left of", "right": "right of"}[name]
    rows = "Rows" if name in {"top", "bottom"} else "Columns"
    text = f"{rows} to add {where} the picture."
    return Parameter(name, Kind.INT, text, default=0, minimum=0, maximum=MAX_PAD_PX, unit="px")


PAD = Operation(
    name="pad",
    label="Pad",
    help="Adds rows and columns around the picture, mirrored, repeated or filled as border says.",
    family="geometry",
    pattern=Pattern.GLOBAL,
    reference="cv2.copyMakeBorder",
    parameters=tuple(_side(name) for name in ("top", "bottom", "left", "right")),
    types=(*DTYPES, "uint32"),
    border=Border.MIRROR,
    sees_alpha=True,
    cost=lambda _params, spec: 0.5 * spec.channels * spec.itemsize,
    output=_output,
    collective="geometry",
    moves_values=True,
    remap=_remap,
    placement=_placement,
)
