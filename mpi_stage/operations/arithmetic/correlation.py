"""Weighted sums of each pixel's neighbours, as ``cv2.filter2D`` rounds them.

OpenCV computes small kernels directly, in single precision. For larger ones it takes a Fourier
transform, whose rounding depends on all of the image; here their sums are made in double precision,
in an order that is the same for every pixel.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.native.interface import Kernels
from mpi_stage.operations.arithmetic.blocks import crop, in_groups, per_channel
from mpi_stage.operations.arithmetic.nans import one_nan
from mpi_stage.operations.arithmetic.row_ends import is_leftover

_GROUP = 4
"""Values that OpenCV computes at once with fused multiplications and additions."""

DIRECT_SIZE = {"uint8": 130, "uint16": 50, "float32": 130}
"""Kernels of so many numbers, and larger ones, go through OpenCV's Fourier transform."""

_TILE = {"float64": 7, "float32": 11}
"""Side of the part of a large kernel that OpenCV is given at once: less than its Fourier transform."""

_EXACT_IN_FLOAT32 = 1 << 24

_LARGEST_SUM = 1 << 30

_CPU_FMA3 = 12
_FUSES = cv2.checkHardwareSupport(_CPU_FMA3)
"""Whether this processor fuses multiplication and addition; OpenCV does where it can."""

Kernel = NDArray[np.float64]


def small_cost(spec: ImageSpec) -> float:
    """Return the cost of a 3 × 3 kernel in ns."""
    return per_channel(spec, 0.8 if spec.dtype == "float32" else 0.6)


def correlated(block: Pixels, kernel: Kernel, scale: float = 1.0, offset: float = 0.0) -> Pixels:
    """Return ``scale`` times the correlation with ``kernel``, plus ``offset``, in the block's type.

    Parameters
    ----------
    block: with ``max(kernel.shape) // 2`` rows and columns of halo on each side, which are cut off.
    kernel: rows × columns; even sides have their centre right of and below the middle, as in OpenCV.
    scale, offset: integers are rounded, halves to even, and clipped only after both.

    """
    if kernel.size >= DIRECT_SIZE[str(block.dtype)]:
        with np.errstate(invalid="ignore", over="ignore"):
            return _in_type(_exact_sums(block, kernel) * scale + offset, block)
    weights = (kernel * scale).astype(np.float32)
    halo = max(kernel.shape) // 2
    if kernels and _is_compiled(block, weights, offset):
        return _compiled(kernels, block, weights, offset)
    result = crop(_opencv(block, weights, offset), halo)
    if block.dtype == np.float32:
        return one_nan(result)
    if not _is_exact(weights, offset, block):
        _redo_row_ends(result, block, weights, offset)
    return result


def _is_compiled(block: Pixels, weights: Pixels, offset: float) -> bool:
    """Whether the compiled kernel does the same, and soon: all sums fit OpenCV's integers."""
    if block.dtype == np.float32 or not _FUSES:
        return False
    return float(np.abs(weights).sum() * np.iinfo(block.dtype).max + abs(offset)) < _LARGEST_SUM


def _compiled(compiled: Kernels, block: Pixels, weights: Pixels, offset: float) -> Pixels:
    """Return the same as OpenCV, which fuses multiplication and addition for whole groups of values."""
    side = max(weights.shape) // 2 * 2 + 1
    rows, columns, channels = block.shape[0] - side + 1, block.shape[1] - side + 1, block.shape[2]
    places = np.ascontiguousarray(np.argwhere(weights), np.int32)
    used = weights[weights != 0].reshape(-1, 1, 1)
    # The centre of even sides is right of and below the middle.
    places += np.array([side // 2 - length // 2 for length in weights.shape], np.int32)
    fused = columns * channels // _GROUP * _GROUP
    result = np.empty((rows, columns, channels), block.dtype)
    compiled.correlate(block, result, (places[:, :, np.newaxis], used), (side, offset, fused))
    return result


def _opencv(block: Pixels, weights: Pixels, offset: float) -> Pixels:
    return in_groups(
        block,
        lambda part: cv2.filter2D(part, -1, weights, delta=offset, borderType=cv2.BORDER_REPLICATE),
    )


def _is_exact(weights: Pixels, offset: float, block: Pixels) -> bool:
    """Whether every product and sum of integers is a whole number that a float32 holds."""
    largest = np.abs(weights).sum(dtype=np.float64) * np.iinfo(block.dtype).max + abs(offset)
    return bool(float(offset).is_integer() and (weights == np.rint(weights)).all()) and (
        largest < _EXACT_IN_FLOAT32
    )


def _redo_row_ends(result: Pixels, block: Pixels, weights: Pixels, offset: float) -> None:
    """Compute the last columns of ``result`` as OpenCV does in rows of this length."""
    halo = max(weights.shape) // 2
    rows, columns, channels = result.shape
    last = min(_GROUP, columns)
    strip = block[:, -(last + 2 * halo) :]
    # With more columns to its right, none that is wanted is a leftover.
    wider = np.pad(strip, ((0, 0), (0, _GROUP), (0, 0)), mode="edge")
    grouped = _opencv(wider, weights, offset)[halo : halo + rows, halo : halo + last]
    leftover = is_leftover(columns, channels, _GROUP, last)
    result[:, columns - last :] = np.where(leftover, _one_by_one(strip, weights, offset), grouped)


def _one_by_one(strip: Pixels, weights: Pixels, offset: float) -> Pixels:
    """Return the correlation with each product and each sum rounded to float32."""
    halo = max(weights.shape) // 2
    rows, columns = strip.shape[0] - 2 * halo, strip.shape[1] - 2 * halo
    top, left = (halo - side // 2 for side in weights.shape)
    total = np.full((rows, columns, strip.shape[2]), offset, np.float32)
    for y, x in zip(*np.nonzero(weights), strict=True):
        part = strip[top + y : top + y + rows, left + x : left + x + columns]
        total = total + part.astype(np.float32) * weights[y, x]
    return _in_type(total, strip)


def _in_type(values: Pixels, like: Pixels) -> Pixels:
    """Return ``values`` in the type of ``like``, rounded and clipped where that is an integer."""
    if like.dtype == np.float32:
        return one_nan(values.astype(np.float32))
    return np.clip(np.rint(values), 0, np.iinfo(like.dtype).max).astype(like.dtype)


def _exact_sums(block: Pixels, kernel: Kernel) -> Pixels:
    """Return the correlation in double precision, without the halo.

    Each part of the kernel is one call of OpenCV, and the parts are added in their order. Single
    precision does the same where nothing is rounded.
    """
    halo = max(kernel.shape) // 2
    rows, columns = block.shape[0] - 2 * halo, block.shape[1] - 2 * halo
    single = block.dtype != np.float32 and _is_exact(kernel, 0.0, block)
    values = block.astype(np.float32 if single else np.float64)
    top, left = (halo - side // 2 for side in kernel.shape)
    tile = _TILE[str(values.dtype)]
    total = np.zeros((rows, columns, block.shape[2]))
    for y in range(0, kernel.shape[0], tile):
        for x in range(0, kernel.shape[1], tile):
            part = kernel[y : y + tile, x : x + tile]
            if part.any():
                total += _part_sums(values[top + y :, left + x :], part, rows, columns)
    return total


def _part_sums(values: Pixels, part: Kernel, rows: int, columns: int) -> Pixels:
    """Return the sums with one part of a kernel whose first number belongs to the first value."""
    needed = np.ascontiguousarray(values[: rows + part.shape[0] - 1, : columns + part.shape[1] - 1])
    sums = in_groups(
        needed,
        lambda group: cv2.filter2D(group, -1, part, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE),
    )
    return sums[:rows, :columns]
