"""Means weighted by nearness in place and colour: ``bilateral``."""

import math

import numpy as np
from numpy.typing import NDArray

from gpu_kernels.sources import code
from gpu_kernels.stencils import Pixelwise, Stencil, common
from gpu_kernels.step import Step

_OPENCV_COLOURS = (1, 3)
"""Bytes of so many colours are OpenCV's on the CPU, in single precision."""

_REORDERED_RADIUS = 2
"""For one colour OpenCV adds the places of this disc in an order of its own, but for the last pixels of a
row; how many these are depends on how wide the CPU's vectors are."""

_DEFAULT_COLOUR_FRACTION = 0.1
_LANES = 4
_LN_2_PARTS = (-0.693359375, 2.12194440e-4)
_EXP_TERMS = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
"""Of the function that e to the power of x is, less 1 and x, as a multiple of x squared."""


def bilateral(step: Step) -> Stencil | None:
    """Return means of discs, weighted by nearness in place and colour."""
    radius, colours = int(step.params["diameter"]) // 2, step.colours
    single = step.dtype == "uint8" and colours in _OPENCV_COLOURS
    if single and colours == 1 and radius == _REORDERED_RADIUS:
        return None
    places, near = _disc(radius, float(step.params["sigma_space"]), exact=not single)
    sigma_color = _sigma_color(step)
    factor = -0.5 / (sigma_color * sigma_color)
    weight = np.float32 if single else np.float64
    macros = {
        **common(step, 1),
        "PLACES": len(near),
        "SINGLE": single,
        "Weight": "f32" if single else "double",
        "FACTOR": factor,
    }
    largest = 0 if step.is_float else step.white * colours
    alike = _alike_single(256 * colours, factor) if single else _alike(largest + 1, factor)
    return Pixelwise(
        code("bilateral", "pixelwise bilateral", macros),
        step.columns,
        looks_up=not step.is_float,
        tables=(places, near.astype(weight), alike),
    )


def _sigma_color(step: Step) -> float:
    given = step.params["sigma_color"]
    return (
        _DEFAULT_COLOUR_FRACTION * (1.0 if step.is_float else step.white) if given is None else float(given)
    )


def _disc(radius: int, sigma: float, *, exact: bool) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the places of a disc, row by row, and their weights; OpenCV squares a root again."""
    places, weights = [], []
    for y in range(-radius, radius + 1):
        for x in range(-radius, radius + 1):
            square = y * y + x * x
            if square <= radius * radius:
                places.append((y, x))
                root = math.sqrt(square)
                weights.append(
                    math.exp(-square / (2 * sigma * sigma))
                    if exact
                    else math.exp(root * root * float(np.float32(-0.5 / (sigma * sigma))))
                )
    return np.array(places, np.int32), np.array(weights)


def _alike_single(count: int, factor: float) -> NDArray[np.float32]:
    """Return the weights of all distances of colours as OpenCV's vectors of four make them, in float32.

    Its exponential function is that of S. L. Moshier's Cephes library, expf.c; the last four weights are
    the C library's.
    """
    single = np.float32
    distances = np.arange(count, dtype=np.float32)
    exponents = distances * distances * single(factor)
    x = np.clip(exponents, single(-88.3762626647949), single(89))
    power = np.floor(x * single(math.log2(math.e)) + single(0.5))
    for part in _LN_2_PARTS:
        x = power * single(part) + x
    y = np.full_like(x, _EXP_TERMS[0])
    for term in _EXP_TERMS[1:]:
        y = y * x + single(term)
    weights: NDArray[np.float32] = np.ldexp(y * (x * x) + x + single(1), power.astype(np.int32))
    weights[-_LANES:] = [single(math.exp(one)) for one in exponents[-_LANES:]]
    return weights


def _alike(count: int, factor: float) -> NDArray[np.float64]:
    """Return them by NumPy's, in double precision."""
    distances = np.arange(count, dtype=np.float64)
    with np.errstate(under="ignore"):
        return np.exp(distances * distances * factor)
