"""Smoothing that leaves out pixels without data: ``box`` and ``gaussian`` of images with a nodata value.

Integers are added up exactly for ``box``. The weights of ``gaussian`` are doubles, whose products and sums
are those of ``cv2.sepFilter2D``, fused where it fuses them, so that means round alike.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_kernels.backend import Argument, Backend
from gpu_kernels.layout import aligned
from gpu_kernels.sources import Code, code
from gpu_kernels.stencils import (
    MAX_GRID_ROWS,
    THREADS,
    Place,
    Stencil,
    ceil,
    common,
    portions,
    values_of,
)
from gpu_kernels.step import Step

_DEFAULT_SIGMA = 2.0
_COLOURS = 3
_GROUP_CHANNELS = 4
"""Channels that the CPU hands to OpenCV together, of images with more than that."""


@dataclass(frozen=True, eq=False)
class Masked:
    """Rows into sums in temporary memory, sums into means."""

    code: Code
    values: int
    size: int
    """Rows of the neighbourhood."""

    sums_bytes: int
    """Of both sums of a place."""

    weights: NDArray[np.float64]
    looks_up: bool = True

    @property
    def codes(self) -> tuple[Code, ...]:
        """What has to be compiled."""
        return (self.code,)

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """The weights."""
        return (self.weights,)

    @property
    def _pitch(self) -> int:
        return aligned(self.values * self.sums_bytes)

    def temporary_bytes(self, rows: int) -> int:
        """Return the bytes of the rows' sums."""
        return (rows + self.size - 1) * self._pitch

    def launch(self, backend: Backend, place: Place, temporary: int) -> None:
        """Filter the rows of a place."""
        halo, columns = self.size // 2, ceil(self.values, THREADS)
        weights = backend.constant(self.weights)
        first, last = self.code.kernels
        for part in portions(place, MAX_GRID_ROWS - 2 * halo):
            above, rows = part.source - halo * part.source_pitch, part.rows + 2 * halo
            size = (np.int32(rows), np.int32(self.values))
            arguments: list[Argument] = [above, part.source_pitch, temporary, self._pitch, *size, weights]
            backend.launch(self.code, first, (columns, rows), THREADS, arguments)
            places: list[Argument] = [part.source, part.source_pitch, part.target, part.target_pitch]
            size = (np.int32(part.rows), np.int32(self.values))
            rest: list[Argument] = [part.table, temporary, self._pitch, weights]
            backend.launch(self.code, last, (columns, part.rows), THREADS, [*places, *size, *rest])


def box(step: Step) -> Stencil | None:
    """Take the mean of a square's values that are not nodata."""
    size = int(step.params["size"])
    return _masked(step, np.ones(size), weighted=False) if size > 1 else None


def gaussian(step: Step) -> Stencil | None:
    """Smooth with a bell curve what is not nodata."""
    size, given = 2 * step.halo + 1, step.params["sigma"]
    sigma = float(given) if given is not None else (_DEFAULT_SIGMA if step.params["size"] is None else 0.0)
    if size == 1:
        return None
    return _masked(step, cv2.getGaussianKernel(size, sigma, cv2.CV_64F).reshape(-1), weighted=True)


def _masked(step: Step, weights: NDArray[Any], *, weighted: bool) -> Stencil:
    in_double = weighted or step.is_float
    colours = _COLOURS if step.keeps_alpha else step.channels
    macros = {
        **common(step, 1),
        "SIZE": len(weights),
        "WEIGHTED": weighted,
        "IS_NODATA(v)": _is_nodata(step),
        "Sum": "double" if in_double else "u32",
        "LONE_FROM": colours if colours == _COLOURS else colours // _GROUP_CHANNELS * _GROUP_CHANNELS,
    }
    made = code("masked_rows masked_columns", "masked", macros)
    sums_bytes = 2 * (8 if in_double else 4)
    doubles = np.asarray(weights, np.float64)
    return Masked(made, values_of(step), len(weights), sums_bytes, doubles, looks_up=not step.is_float)


def _is_nodata(step: Step) -> str:
    """Return the condition in C++ that ``v`` is nodata; a value that the type does not have never is."""
    nodata = math.nan if step.nodata is None else step.nodata
    if step.is_float:
        single = float(np.float32(nodata))
        if math.isnan(single):
            return "v != v"
        if math.isinf(single):
            return "v > 3.4028234663852886e38f" if single > 0 else "v < -3.4028234663852886e38f"
        return f"v == ({single.hex()}f)"
    if not (math.isfinite(nodata) and nodata.is_integer() and 0 <= nodata <= step.white):
        return "false"
    return f"v == {int(nodata)}"
