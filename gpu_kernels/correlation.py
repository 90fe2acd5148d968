"""Weighted sums with any small kernel: ``convolve``, ``sharpen``, ``emboss``."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.stencils import Stencil, march, strip_words
from gpu_kernels.step import Step

_DIRECT_SIZE = {"uint8": 130, "uint16": 50, "float32": 130}
"""Kernels of so many numbers, and larger ones, are summed in another way on the CPU."""

_LARGEST_SIDE = 15
_LARGEST_INT = 1 << 31
"""Beyond it OpenCV's rounding to an int does not saturate."""

_GROUP = 4
"""Values that OpenCV computes at once, with fused multiplications and additions."""


def convolve(step: Step) -> Stencil | None:
    """Correlate with a kernel of one's own."""
    numbers = np.array(step.params["kernel"], np.float64)
    width = step.params["width"]
    kernel = numbers.reshape(-1, int(width) if width is not None else math.isqrt(numbers.size))
    return _correlated(step, kernel, float(step.params["scale"]), float(step.params["offset"]))


def fixed(step: Step) -> Stencil | None:
    """Correlate with the 3 × 3 kernel that the CPU's kernel shows of single points, in floats."""
    point = np.zeros((5, 5, 1), np.float32)
    point[2, 2] = 1
    return _correlated(step, step.cpu(point)[::-1, ::-1, 0].astype(np.float64), 1.0, 0.0)


def _correlated(step: Step, kernel: NDArray[np.float64], scale: float, offset: float) -> Stencil | None:
    weights = (kernel * scale).astype(np.float32)
    if kernel.size >= _DIRECT_SIZE[step.dtype] or max(kernel.shape) > _LARGEST_SIDE:
        return None
    if not np.isfinite(weights).all() or not math.isfinite(offset):
        return None
    largest = 0.0 if step.is_float else _largest(weights, offset, step.white)
    if largest >= _LARGEST_INT:
        return None
    rows, columns = kernel.shape
    macros = {
        "ROWS": rows,
        "COLUMNS": columns,
        "WEIGHTS": ", ".join(_row(row) for row in weights),
        "START": offset,
        "GROUP": _GROUP,
    }
    has_row_ends = not (step.is_float or _is_exact(weights, offset, largest))
    words = strip_words(step, rows)
    return march(step, "correlate row_ends", "correlate", words, macros, has_row_ends=has_row_ends)


def _row(weights: NDArray[np.float32]) -> str:
    return "{" + ", ".join(f"({float(weight).hex()})" for weight in weights) + "}"


def _largest(weights: NDArray[Any], offset: float, white: int) -> float:
    return float(np.abs(weights).sum(dtype=np.float64)) * white + abs(offset)


def _is_exact(weights: NDArray[Any], offset: float, largest: float) -> bool:
    """Whether every product and sum is a whole number that a float32 holds."""
    whole = bool((weights == np.rint(weights)).all()) and offset.is_integer()
    return whole and largest < 1 << 24
