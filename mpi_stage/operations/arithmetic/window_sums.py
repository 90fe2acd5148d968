"""Sums of neighbours in few additions, the same ones in the same order for each window, wherever it lies."""

import numpy as np
from numpy.typing import NDArray


def window_sums(values: NDArray[np.float64], size: int, axis: int) -> NDArray[np.float64]:
    """Return the sums of ``size`` neighbours along an axis; one for each window that fits.

    Sums of 1, 2, 4, … neighbours are put together as the bits of ``size`` say: about 2 · log2(size)
    additions for each window.
    """
    values = np.moveaxis(values, axis, 0)
    count = len(values) - size + 1
    total: NDArray[np.float64] | None = None
    start, width = 0, 1
    while True:
        if size & width:
            part = values[start : start + count]
            total = part if total is None else total + part
            start += width
        if 2 * width > size:
            break
        values = values[:-width] + values[width:]
        width *= 2
    return np.moveaxis(total if total is not None else values, 0, axis)


def square_sums(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the sums of ``size`` × ``size`` neighbours (rows × columns, and more axes if there are)."""
    return window_sums(window_sums(values, size, 0), size, 1)
