"""Minima and maxima over a rectangle, an ellipse or a cross, of any size.

Small ones are OpenCV's. Large ones are put together from the extrema of 2, 4, 8, … neighbours in a row,
which takes about one comparison per row of the shape instead of one per pixel of it. Source: E. R. Urbach,
M. H. F. Wilkinson, "Efficient 2-D Grayscale Morphological Transformations With Arbitrary Flat Structuring
Elements", IEEE Transactions on Image Processing 17 (2008).
"""

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.blocks import crop, in_groups
from mpi_stage.operations.arithmetic.nans import one_nan

SHAPES = {"rect": cv2.MORPH_RECT, "ellipse": cv2.MORPH_ELLIPSE, "cross": cv2.MORPH_CROSS}

_OPENCV_LARGEST = {"rect": 63, "ellipse": 15, "cross": 15}
"""Sizes up to which OpenCV is faster."""

Pick = Callable[..., Pixels]
"""``np.minimum`` or ``np.maximum``; both give NaN where either argument is."""


@lru_cache(maxsize=32)
def element(shape: str, size: int) -> Pixels:
    """Return the mask of a shape, ``size`` × ``size``; its centre is at ``size // 2``."""
    return cv2.getStructuringElement(SHAPES[shape], (size, size))


def extremum(block: Pixels, shape: str, size: int, times: int, pick: Pick) -> Pixels:
    """Return the least or greatest value around each pixel, ``times`` times over, without the halo.

    Parameters
    ----------
    block: with ``times * (size // 2)`` rows and columns of halo on each side.
    shape, size: of the neighbourhood, as in :func:`element`.
    pick: ``np.minimum`` or ``np.maximum``.

    """
    if shape == "rect":
        # A rectangle many times over is a larger one.
        result = _once(block, shape, size + (times - 1) * (size - 1), times * (size // 2), pick)
    else:
        result = block
        for _ in range(times):
            result = _once(result, shape, size, size // 2, pick)
    if result.dtype == np.float32:
        # Which of -0.0 and 0.0 comes out depends on the order of comparisons; adding 0 leaves the latter.
        result = one_nan(result + np.float32(0))
    return np.ascontiguousarray(result)


def _once(block: Pixels, shape: str, size: int, halo: int, pick: Pick) -> Pixels:
    if size == 1:
        return block
    # OpenCV's comparisons lose a NaN or the value beside it, depending on their order.
    damaged = block.dtype == np.float32 and bool(np.isnan(block).any())
    if size <= _OPENCV_LARGEST[shape] and not damaged:
        return _by_opencv(block, shape, size, halo, pick)
    rows, columns = block.shape[0] - 2 * halo, block.shape[1] - 2 * halo
    if shape == "rect":
        return _sliding(_sliding(block, size, 1, pick)[:, :columns], size, 0, pick)[:rows]
    if shape == "cross":
        upright = _sliding(block[:, halo : halo + columns], size, 0, pick)[:rows]
        return pick(upright, _sliding(block[halo : halo + rows], size, 1, pick)[:, :columns])
    return _by_rows(block, element(shape, size), halo, pick)


def _by_opencv(block: Pixels, shape: str, size: int, halo: int, pick: Pick) -> Pixels:
    call = cv2.erode if pick is np.minimum else cv2.dilate
    mask = element(shape, size)
    filtered = in_groups(block, lambda part: call(part, mask, anchor=(halo, halo)))
    return crop(filtered, halo)


def _sliding(values: Pixels, size: int, axis: int, pick: Pick) -> Pixels:
    """Return the extrema of ``size`` neighbours along ``axis``, that many less one fewer."""
    width = 1
    length = values.shape[axis] - size + 1
    while 2 * width <= size:
        values = _paired(values, width, axis, pick)
        width *= 2
    return pick(_along(values, axis, 0, length), _along(values, axis, size - width, length))


def _paired(values: Pixels, width: int, axis: int, pick: Pick) -> Pixels:
    """Return the extrema of each value and the one ``width`` further on."""
    length = values.shape[axis] - width
    return pick(_along(values, axis, 0, length), _along(values, axis, width, length))


def _along(values: Pixels, axis: int, start: int, length: int) -> Pixels:
    part = slice(start, start + length)
    return values[part] if axis == 0 else values[:, part]


def _by_rows(block: Pixels, mask: Pixels, halo: int, pick: Pick) -> Pixels:
    """Join the extrema over the rows of a mask; rows of one span share them."""
    rows, columns = block.shape[0] - 2 * halo, block.shape[1] - 2 * halo
    result: Pixels | None = None
    values, width = block, 1
    for (left, right), places in sorted(_spans(mask).items(), key=lambda item: item[0][1] - item[0][0]):
        while 2 * width <= right - left:
            values = _paired(values, width, 1, pick)
            width *= 2
        span = pick(_along(values, 1, left, columns), _along(values, 1, right - width, columns))
        for place in places:
            part = span[place : place + rows]
            result = part.copy() if result is None else pick(result, part, out=result)
    return block if result is None else result


def _spans(mask: Pixels) -> dict[tuple[int, int], list[int]]:
    """Return the rows of a mask by the columns, first and one past the last, that they cover."""
    spans: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, values in enumerate(mask):
        covered = np.flatnonzero(values)
        spans[int(covered[0]), int(covered[-1]) + 1].append(row)
    return spans
