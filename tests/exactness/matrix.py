"""The exactness matrix: every operation × type × channels × border, over all worlds and block heights."""

from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
import tifffile
from operation_harness import picture
from references import CV_BORDERS, REFERENCES
from references_more import MORE
from worlds import RANKS, Worlds

from mpi_stage.errors import StageError
from mpi_stage.image import DTYPES, ImageSpec
from mpi_stage.operations.declaring.declaration import Border, Operation
from mpi_stage.operations.spelling.grammar import make_step, to_json
from mpi_stage.planning.planned_steps import check_step

ROWS, COLUMNS = 61, 47
CHANNELS = (1, 3, 4, 13)
BLOCKS = (None, 1, 7, 16, 61)

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "matrix": [{"values": [0.2, 0.5, 0.3, -0.4, 1.1, 0.2, 0.9, 0.3, -0.1]}],
    "channels": [{"select": [0]}, {"select": [2, 0, 1]}, {"select": [0, 3]}],
    "convolve": [{"kernel": [1, 2, 0, -1, 3, 2, 0, -2, 1, 4, -3, 1, 0, 2, -1], "width": 5, "scale": 0.1}],
    "hough": [{"low": 0.1, "high": 0.4, "threshold": 20}],
    "box": [{"size": 15}],
    "gaussian": [{"sigma": 1.7}],
    "median": [{"size": 5}],
    "canny": [{"low": 0.1, "high": 0.4}],
    "threshold": [{"value": 0.4}],
    "opening": [{"size": 5, "shape": "ellipse", "iterations": 2}],
    "tophat": [{"size": 7, "shape": "cross"}],
    "adaptive_mean": [{"size": 7, "offset": 2}],
    "adaptive_gaussian": [{"size": 9, "offset": -3}],
    "harris": [{}, {"output": "response"}],
    "denoise": [{"patch": 3, "search": 5}],
    "lowpass": [{"cutoff": 7}],
    "highpass": [{"cutoff": 5}],
    "bandpass": [{"low": 3, "high": 12}],
    "label": [{"connectivity": "8"}, {"connectivity": "4"}],
    "crop": [{"x": 5, "y": 7, "width": 31, "height": 40}],
    "pad": [{"top": 70, "bottom": 3, "left": 2, "right": 50}],
    "flip": [{"axis": "horizontal"}, {"axis": "vertical"}],
    "rotate90": [{"turns": 1}, {"turns": 2}, {"turns": 3}],
    "rotate": [
        {"degrees": 33, "interpolation": "nearest"},
        {"degrees": -75.5, "expand": True},
        {"degrees": 200, "interpolation": "cubic"},
    ],
    "resize": [
        {"width": 80, "height": 33, "interpolation": "nearest"},
        {"scale": 1.7},
        {"width": 30, "interpolation": "cubic"},
        {"scale": 0.3, "interpolation": "area"},
        {"height": 90, "interpolation": "lanczos"},
    ],
}
"""Parameters, where the defaults would show little; values of pixels are parts of full white."""

PARTS_OF_WHITE = ("low", "high", "value")


@dataclass
class Line:
    """What the matrix shows of one operation."""

    name: str
    types: set[str] = field(default_factory=set)
    channels: set[int] = field(default_factory=set)
    borders: set[str] = field(default_factory=set)
    runs: int = 0
    differing: int = 0
    judged: int = 0
    largest: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One combination of the matrix."""

    operation: Operation
    dtype: str
    channels: int
    border: str | None
    params: dict[str, Any]

    @property
    def spec(self) -> ImageSpec:
        """The image that the cell is about."""
        return ImageSpec(ROWS, COLUMNS, self.channels, self.dtype)

    def step(self):
        """Return the step, with its border and with pixel values in the image's own range."""
        scaled = dict(self.params)
        if self.operation.family in {"edges", "threshold"}:
            scaled |= {k: v * self.spec.value_range for k, v in self.params.items() if k in PARTS_OF_WHITE}
        if self.border is not None:
            scaled["border"] = self.border
        return make_step(self.operation.name, scaled)


def cells(operation: Operation):
    """Yield the cells of one operation that it takes."""
    borders = [str(border) for border in Border] if operation.border is not None else [None]
    for dtype in DTYPES:
        for channels in CHANNELS:
            for border in borders:
                for params in VARIANTS.get(operation.name, [{}]):
                    cell = Cell(operation, dtype, channels, border, params)
                    step = cell.step()  # parameters that are wrong are the matrix's own mistake
                    try:
                        check_step(step, cell.spec)
                    except StageError:
                        continue
                    yield cell


def try_cell(worlds: Worlds, cell: Cell, line: Line, ranks=RANKS) -> None:
    """Run a cell on every world, each with another block height, and add to the operation's line."""
    image = picture(len(cell.operation.name), ROWS, COLUMNS, cell.channels, cell.dtype)
    source = worlds.write(image)
    steps, first = to_json([cell.step()]), None
    for size, block_rows in zip(ranks, cycle(BLOCKS)):
        pixels = tifffile.imread(worlds.run(size, source, steps, block_rows=block_rows).path)
        first = pixels if first is None else first
        line.runs += 1
        line.differing += int((pixels.view(np.uint8) != first.view(np.uint8)).sum())
    line.types.add(cell.dtype)
    line.channels.add(cell.channels)
    line.borders |= {cell.border} - {None}
    _judge(cell, image, first, line)


def _judge(cell: Cell, image, result, line: Line) -> None:
    """Compare with the reference, where there is one for the cell."""
    reference = (REFERENCES | MORE).get(cell.operation.name)
    if reference is None or (cell.border is not None and cell.border not in CV_BORDERS):
        return
    around = cell.channels == 4 and not cell.operation.sees_alpha
    seen = np.ascontiguousarray(image[..., :3]) if around else image
    expected = reference(seen, cell.step().params, CV_BORDERS.get(cell.border or ""))
    if expected is None:
        return
    result = result.reshape(result.shape[0], result.shape[1], -1)
    expected = np.asarray(expected).reshape(*expected.shape[:2], -1)
    if cell.channels == 4 and result.shape[2] == 4 and expected.shape[2] == 3:
        result = result[..., :3]
    difference = float(np.abs(result.astype(np.float64) - expected).max())
    if cell.dtype == "float32":
        difference /= max(float(np.ptp(expected)), 1e-30)
    line.judged += 1
    line.largest[cell.dtype] = max(line.largest.get(cell.dtype, 0.0), difference)
