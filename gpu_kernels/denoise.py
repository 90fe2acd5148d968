"""Means of pixels whose surroundings look alike: ``denoise``."""

import math

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.sources import code
from gpu_kernels.stencils import Pixelwise, Stencil, common
from gpu_kernels.step import Step

_COLOUR = 3
_DEFAULT_FRACTION = 10 / 255
_LARGEST_BYTE = 255
_LARGEST_INT = (1 << 31) - 1
_LEAST_WEIGHT = 0.001  # of the greatest

_IN_DOUBLE = {
    "CUT_OFF": 5.0,
    "EXP_FACTOR": float(2**20 / np.log(2)),
    "EXP_BIAS": f"{1023 * 2**20 - 60801}LL",
}
"""As the CPU's kernel has them: patches farther apart have no weight, and the exponential function is that
of N. N. Schraudolph, "A Fast, Compact Approximation of the Exponential Function", Neural Computation 11,
1999."""


def denoise(step: Step) -> Stencil | None:
    """Return means of similar pixels: of gray bytes in OpenCV's whole numbers, else in double precision."""
    patch, search, strength = int(step.params["patch"]), int(step.params["search"]), _strength(step)
    if step.dtype == "uint8" and step.colours == _COLOUR:
        return None  # OpenCV goes by way of lightness and hues
    whole = step.dtype == "uint8" and step.colours == 1
    macros = {
        **common(step, 1),
        **_IN_DOUBLE,
        "PATCH": patch,
        "SEARCH": search,
        "WHOLE": whole,
        "SHIFT": _shift(patch),
        "SCALE": 1 / (step.colours * (patch * strength) ** 2),
    }
    weights = _weights(patch, search, strength) if whole else np.zeros(1, np.int32)
    made = code("patches", "pixelwise patches", macros)
    return Pixelwise(made, step.columns, looks_up=not step.is_float, tables=(weights,))


def _strength(step: Step) -> float:
    given = step.params["strength"]
    if given is not None:
        return float(given)
    return _DEFAULT_FRACTION * (1.0 if step.is_float else step.white)


def _shift(patch: int) -> int:
    """Return the power of two that OpenCV divides sums of a patch by: that of its area, rounded up."""
    return (patch * patch - 1).bit_length()


def _weights(patch: int, search: int, strength: float) -> NDArray[np.int32]:
    """Return OpenCV's weights of shifted sums of squares: whole parts of the most that 32 bits can sum up."""
    greatest = _LARGEST_INT // (search * search * _LARGEST_BYTE)
    unit = (1 << _shift(patch)) / (patch * patch)
    count = int(_LARGEST_BYTE**2 / unit + 1)
    square = float(np.float32(strength) * np.float32(strength))
    weights = np.array([round(greatest * math.exp(-one * unit / square)) for one in range(count)], np.int32)
    weights[weights < _LEAST_WEIGHT * greatest] = 0
    return weights
