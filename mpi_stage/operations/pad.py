"""More room around the picture: ``pad``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Fetch, Grid, Window, row_grid
from mpi_stage.image import DTYPES, ImageSpec, Pixels
from mpi_stage.operations.arithmetic.borders import OUTSIDE, border_index
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.placement import Placement
from mpi_stage.operations.declaring.values import fill_value, integer

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

    def make(self, tile: Window, fetch: Fetch, out: Pixels) -> None:
        rows, columns = _cut(self.rows, tile.rows), _cut(self.columns, tile.columns)
        reach = _reach(columns)
        here = _whole(columns, reach)
        for start, end in _stretches(rows):
            part, first = out[start:end], int(rows[start])
            if first == OUTSIDE or not reach.height:
                part[...] = self.fill
                continue
            window = Window(Rows(first, first + end - start), reach)
            if here is None:
                part[...] = fetch(window)[:, np.maximum(columns - reach.first, 0)]
                part[:, columns == OUTSIDE] = self.fill
            else:
                inside = part[:, here.first : here.end]
                fetch(window, inside)
                self._fill_sides(part, inside, here, columns - reach.first)

    def _fill_sides(self, part: Pixels, inside: Pixels, here: Rows, columns: Places) -> None:
        """Fill what is left and right of the columns that are ``inside`` with those that it repeats."""
        for side in (slice(0, here.first), slice(here.end, len(columns))):
            repeated = columns[side]
            if not len(repeated):
                continue
            if repeated[0] < 0:
                part[:, side] = self.fill
            else:
                part[:, side] = inside[:, repeated]


def _whole(columns: Places, reach: Rows) -> Rows | None:
    """Return where a tile has the columns of ``reach`` beside one another; None where it has not all."""
    first = np.flatnonzero(columns == reach.first)
    for start in first.tolist():
        end = start + reach.height
        if end <= len(columns) and columns[end - 1] == reach.end - 1:
            return Rows(start, end)
    return None


def _stretches(rows: Places) -> Iterator[tuple[int, int]]:
    """Cut rows where they do not follow one another, and where those outside the picture begin and end."""
    outside = rows == OUTSIDE
    follows = np.where(outside[1:], outside[:-1], ~outside[:-1] & (np.diff(rows) == 1))
    cuts = [0, *(np.flatnonzero(~follows) + 1).tolist(), len(rows)]
    yield from pairwise(cuts)


def _cut(places: Places, part: Rows) -> Places:
    return places[part.first : part.end]


def _reach(places: Places) -> Rows:
    """Return the columns from the first to the last that a tile repeats."""
    inside = places[places != OUTSIDE]
    return Rows(int(inside.min()), int(inside.max()) + 1) if len(inside) else Rows(0, 0)


def _runs(places: Places) -> tuple[Rows, ...]:
    """Return the rows that a tile repeats as runs, top to bottom."""
    inside: NDArray[Any] = np.unique(places[places != OUTSIDE])
    if not len(inside):
        return ()
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
