"""Weighted means with separable kernels: ``gaussian``, ``box``, and the steps that compare with them."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_kernels.adaptive import threshold_offset
from gpu_kernels.sources import code
from gpu_kernels.stencils import (
    CHUNK_ROWS,
    LONG_CHUNK_ROWS,
    LONG_ROWS,
    WORD_BYTES,
    Long,
    Stencil,
    common,
    march,
    strip_words,
    values_of,
)
from gpu_kernels.step import Step

_FIXED, _NEAREST, _SINGLE, _DOUBLE = 0, 1, 2, 3  # as in means.cuh
_ADAPTIVE, _UNSHARP = 1, 2
_NOTHING_AFTER: dict[str, object] = {"AFTER": 0, "OFFSET": 0, "AMOUNT": 0, "EXACT": 0}
_GROUP = 8
"""Means that OpenCV scales at once in single precision; what is left of a row in double."""

_PACKED_BOX = 15
"""Sums of larger squares of bytes need more than 16 bits."""

_ROUNDED_TWICE = {"uint8": (17, 255), "uint16": (11, 181)}
"""Sizes of ``box`` for which single and double precision differ, in OpenCV."""

_SHORT = {"uint8": 31, "uint16": 25, "float32": 33}
"""The longest kernels whose pending sums stay in registers."""

_LIGHT = 3
"""Up to this size the memory is the limit, not the arithmetic."""

_REGISTERS_PACKED = {False: 1.0, True: 0.5}
_REGISTERS_BOX = {False: 0.45, True: 0.5}
_REGISTERS = {
    ("uint8", True): 1.0,
    ("uint8", False): 1.0,
    ("uint16", True): 1.6,
    ("uint16", False): 0.9,
    ("float32", True): 1.0,
    ("float32", False): 1.8,
}
"""Registers that a waiting sum counts for: of bytes (by whether channels lie between neighbours), of boxes of
them, and of other types (by whether weights are fixed). Chosen by what was fastest on an H100."""

_LONG_STRIP = {"uint8": 2, "uint16": 2, "float32": 4}
"""Words of a strip of longer ones: as many results wait in registers as fit."""

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
    after: dict[str, object] = {"AFTER": _UNSHARP}
    if step.is_float:
        limits = {"OFFSET": float(threshold), "AMOUNT": float(amount)}
        return _smooth(step, _bell(step, size), _FIXED, {**after, **limits})
    if size == 1:
        return None
    differences = np.arange(step.white + 1)
    table = np.minimum(np.rint(differences * float(amount)), step.white).astype(step.dtype)
    single = np.rint(np.minimum(differences.astype(np.float32) * np.float32(amount), np.float32(step.white)))
    least = min(math.ceil(threshold), step.white + 1)
    after |= {"OFFSET": least, "AMOUNT": float(amount), "EXACT": bool((single == table).all())}
    table[:least] = 0
    weights = _fixed_point(replace(step, cpu=_smoother(step, size)), size)
    return _smooth(step, weights, _FIXED, after, table)


def adaptive_mean(step: Step) -> Stencil | None:
    """Compare with the mean of a square."""
    return _box(step, {"AFTER": _ADAPTIVE, "OFFSET": threshold_offset(step)})


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
        return _long(step, weights, macros, tables[0])
    macros |= {"SIZE": size, "WEIGHTS": ", ".join(_literal(weight) for weight in weights)}
    chunk = LONG_CHUNK_ROWS if size > _LIGHT else CHUNK_ROWS
    if step.dtype == "uint8" and mean == _FIXED and weights.max() <= _LARGEST_BYTE:
        wide = step.channels > 1 or macros["AFTER"] == _UNSHARP
        words = strip_words(step, size + 1, _REGISTERS_PACKED[wide])
        return march(step, "gaussian8", "lanes means gaussian8", words, macros, tables, chunk_rows=chunk)
    heavy = step.dtype == "uint16" and macros["AFTER"] == _UNSHARP
    words = strip_words(step, size, 2 if heavy else _REGISTERS[step.dtype, mean == _FIXED])
    return march(step, "separable", "means separable", words, macros, tables, chunk_rows=chunk)


def _long(step: Step, weights: NDArray[Any], macros: Mapping[str, object], table: NDArray[Any]) -> Long:
    words = _LONG_STRIP[step.dtype]
    macros = {**common(step, words), **macros, "LINE_SIZE": len(weights), "RESULTS": LONG_ROWS}
    made = code("long_rows long_columns", "lanes means long_separable", macros)
    narrow = step.dtype == "uint8" and macros["MEAN"] == _FIXED
    return Long(
        code=made,
        values=values_of(step),
        strip=words * WORD_BYTES // step.itemsize,
        size=len(weights),
        sum_bytes=2 if narrow else weights.itemsize,
        weights=np.pad(weights, (LONG_ROWS - 1, 4 * LONG_ROWS)),
        table=table,
        looks_up=not step.is_float,
    )


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
        words = strip_words(step, size, _REGISTERS_BOX[step.channels > 1])
        chunk = LONG_CHUNK_ROWS if size > _LIGHT else CHUNK_ROWS
        return march(step, "box8", "lanes means box8", words, macros, tables, chunk_rows=chunk)
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
