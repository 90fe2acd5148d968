"""The second half of ``clahe``: each value looked up in the tables of the four tiles around it, and mixed."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.points import Formula, Point, single
from gpu_kernels.step import Step

_COLOURS = 3


class Axis(Protocol):
    """One axis of the picture cut into tiles."""

    @property
    def tile_px(self) -> int:
        """Rows or columns of a tile."""


class Grid(Protocol):
    """The tiles of the picture."""

    @property
    def rows(self) -> Axis:
        """How they lie one under the other."""

    @property
    def columns(self) -> Axis:
        """How they lie side by side."""


class Found(Protocol):
    """What the first half finds."""

    @property
    def values(self) -> NDArray[Any]:
        """The new value of each bin: channels × tiles down × tiles across × bins, of the image's type."""

    @property
    def grid(self) -> Grid:
        """The tiles."""


def clahe(step: Step) -> Point | None:
    """Mix what four tables make of each value, or of the luma; integers only.

    A float's bin, and with it the result, could be another one by the last bit of its luma.
    """
    if step.is_float:
        return None
    colours = _COLOURS if step.keeps_alpha else step.channels
    luma = step.params["channels"] == "luma" and colours == _COLOURS
    tiles, bins = int(step.params["tiles"]), step.white + 1
    found: Found | None = step.found
    size = (1 if luma else colours) * tiles * tiles * bins
    down, across = (found.grid.rows.tile_px, found.grid.columns.tile_px) if found else (1, 1)
    place = f"mixed_tiles(at, {_part(down)}, {_part(across)}, {tiles}, {bins})"
    mixing = (
        "Luma luma = luma_of(v); luma.luma = (int)mixed(TABLE, tiles, (u32)luma.luma); "
        "colour_of_luma(v, luma);"
        if luma
        else f"UNROLL for (int c = 0; c < {colours}; c++) "
        f"v[c] = mixed(TABLE + c * {tiles * tiles * bins}, tiles, v[c]);"
    )
    return Formula(
        body=f"const Tiles tiles = {place}; {mixing}",
        channels=step.channels,
        files=("colour.cuh", "clahe.cuh"),
        table=np.zeros(1, step.dtype) if found is None else found.values.reshape(-1),
        later_bytes=size * step.itemsize if found is None else 0,
    )


def _part(tile_px: int) -> str:
    """Return which part of a tile a pixel is, in single precision as on the CPU."""
    return single(float(np.float32(1) / np.float32(tile_px)))
