"""Weighted means with separable kernels: ``gaussian``, ``box``, and the steps that compare with them."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_kernels.sources import code
from gpu_kernels.stencils import (
    WORD_BYTES,
    Long,
    Stencil,
    common,
    least_words,
    march,
    strip_words,
    values_of,
)
from gpu_kernels.step import Step

_FIXED, _NEAREST, _SINGLE, _DOUBLE = 0, 1, 2, 3  # as in means.cuh
_ADAPTIVE, _UNSHARP = 1, 2
_NOTHING_AFTER: dict[str, object] = {"AFTER": 0, "OFFSET": 0, "AMOUNT": 0}
_GROUP = 8
"""Means that OpenCV scales at once in single precision; what is left of a row in double."""

_PACKED_BOX = 15
"""Sums of larger squares of bytes need more than 16 bits."""

_ROUNDED_TWICE = {"uint8": (17, 255), "uint16": (11, 181)}
"""Sizes of ``box`` for which single and double precision differ, in OpenCV."""

_SHORT = {"uint8": 31, "uint16": 25, "float32": 33}
"""The longest kernels whose pending sums stay in registers."""

_DEFAULT_OFFSET = 2 / 255
_LARGEST_BYTE = 255
_MULTIPLIER_BITS = 24


def gaussian(step: Step) -> Stencil | None:
    """Smooth with a bell curve, whose weights are those that the CPU's kernel shows."""
    size = 2 * step.halo + 1
    if step.is_float:
        return _smooth(step, _bell(step, size), _FIXED)
    return _smooth(step, _fixed_point(step, size), _FIXED) if size > 1 else None


def box(step: Step) -> Stencil | None:
    """Take the mean of a square."""
    return _box(step, {})


def unsharp(step: Step) -> Stencil | None:
    """Add what each value differs from its smoothed self."""
    size, amount, threshold = 2 * step.halo + 1, step.params["amount"], step.params["threshold"]
    after = {"AFTER": _UNSHARP}
    if step.is_float:
        limits = {"OFFSET": float(threshold), "AMOUNT": float(amount)}
        return _smooth(step, _bell(step, size), _FIXED, {**after, **limits})
    if size == 1:
        return None
    table = np.minimum(np.rint(np.arange(step.white + 1) * float(amount)), step.white).astype(step.dtype)
    table[: min(math.ceil(threshold), step.white + 1)] = 0
    weights = _fixed_point(replace(step, cpu=_smoother(step, size)), size)
    return _smooth(step, weights, _FIXED, after, table)


def adaptive_mean(step: Step) -> Stencil | None:
    """Compare with the mean of a square."""
    white = 1.0 if step.is_float else float(step.white)
    given = step.params["offset"]
    wanted = _DEFAULT_OFFSET * white if given is None else float(given)
    offset = wanted if step.is_float else math.ceil(min(max(wanted, -white - 1), white + 1))
    return _box(step, {"AFTER": _ADAPTIVE, "OFFSET": offset})


def _smoother(step: Step, size: int) -> Any:  # noqa: ANN401  (a kernel)
    """Return OpenCV's Gaussian of the sigma of ``unsharp``, as a kernel on padded blocks."""
    sigma, halo = float(step.params["sigma"]), size // 2

    def smooth(block: NDArray[Any]) -> NDArray[Any]:
        smoothed = cv2.GaussianBlur(block, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
        return smoothed.reshape(block.shape)[halo:-halo, halo:-halo]

    return smooth


def _bell(step: Step, size: int) -> NDArray[np.float32]:
    """Return the weights for floats."""
    given = step.params["sigma"]
    sigma = float(given) if given is not None else (2.0 if step.params.get("size") is None else 0.0)
    return np.asarray(cv2.getGaussianKernel(size, sigma, cv2.CV_32F), np.float32).reshape(-1)


def _fixed_point(step: Step, size: int) -> NDArray[np.uint32]:
    """Return OpenCV's whole weights: of 8 or 16 bits, adding up to 256 or 65,536.

    They are read from the results for columns of white pixels, one at a time: with weights below one half
    of the sum each result is the weight itself. The middle one is what the others leave.
    """
    halo = size // 2
    block = np.zeros((size, 4 * halo + 1, 1), step.dtype)
    block[:, 2 * halo] = step.white
    shown = step.cpu(block).reshape(-1)[:size].astype(np.int64)
    weights = shown[::-1].copy()
    weights[halo] = step.white + 1 - (weights.sum() - weights[halo])
    return weights.astype(np.uint32)


def _smooth(
    step: Step,
    weights: NDArray[Any],
    mean: int,
    after: Mapping[str, object] = _NOTHING_AFTER,
    table: NDArray[Any] | None = None,
) -> Stencil:
    size = len(weights)
    tables = (np.zeros(1, step.dtype) if table is None else table,)
    macros = {**_NOTHING_AFTER, "MEAN": mean, "GROUP": _GROUP, "SCALE": 1 / (size * size), **after}
    if size > _SHORT[step.dtype]:
        words = least_words(step)
        macros = {**common(step, words), **macros, "LINE_SIZE": size}
        made = code("long_rows long_columns", "means long_separable", macros)
        strip = words * WORD_BYTES // step.itemsize
        return Long(made, values_of(step), strip, weights, tables[0], looks_up=not step.is_float)
    macros |= {"SIZE": size, "WEIGHTS": ", ".join(_literal(weight) for weight in weights)}
    if step.dtype == "uint8" and mean == _FIXED and weights.max() <= _LARGEST_BYTE:
        words = strip_words(step, size + 1)
        return march(step, "gaussian8", "lanes means gaussian8", words, macros, tables)
    words = strip_words(step, size, 2 if step.dtype == "uint16" or mean != _FIXED else 1)
    return march(step, "separable", "means separable", words, macros, tables)


def _literal(weight: np.generic) -> str:
    value = weight.item()
    return f"{value}u" if isinstance(value, int) else f"({float(value).hex()})"


def _box(step: Step, after: Mapping[str, object]) -> Stencil | None:
    size = int(step.params["size"])
    if size == 1:
        return None
    if step.dtype == "uint8" and size <= _PACKED_BOX:
        macros = {**_NOTHING_AFTER, "MEAN": _NEAREST, "GROUP": _GROUP, "SCALE": 1.0, **after}
        macros |= {"SIZE": size, "MULTIPLIER": f"{_multiplier(size)}u"}
        tables = (np.zeros(1, step.dtype),)
        return march(step, "box8", "lanes means box8", strip_words(step, size, 0.5), macros, tables)
    if step.is_float:
        return _smooth(step, np.ones(size, np.float32), _DOUBLE, after)
    least, greatest = _ROUNDED_TWICE[step.dtype]
    mean = _SINGLE if least <= size <= greatest else _DOUBLE
    return _smooth(step, np.ones(size, np.uint32), mean, after)


def _multiplier(size: int) -> int:
    """Return the multiplier with which a shift by 24 bits divides every sum of ``size``² bytes and rounds."""
    area = size * size
    multiplier = round((1 << _MULTIPLIER_BITS) / area)
    sums = np.arange(area * _LARGEST_BYTE + 1, dtype=np.uint64)
    means = sums * np.uint64(multiplier) + np.uint64(1 << (_MULTIPLIER_BITS - 1)) >> np.uint64(
        _MULTIPLIER_BITS
    )
    if not np.array_equal(means, (2 * sums + area) // (2 * area)):
        message = f"no multiplier divides by {area} exactly"
        raise ArithmeticError(message)
    return multiplier
