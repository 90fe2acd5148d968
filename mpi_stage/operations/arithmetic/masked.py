"""Smoothing that leaves out pixels without data: a mean of the valid neighbours, by their weights.

After Knutsson and Westin, *Normalized and differential convolution* (1993): the smoothed values,
with 0 in place of what is missing, over the smoothed map of what is there.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.blocks import crop

Smooth = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Smooths rows × columns × channels values with weights that are positive, without the halo."""


def masked(block: Pixels, halo: int, nodata: float, smooth: Smooth) -> Pixels:
    """Return the middle of a padded block, smoothed without the values that equal ``nodata``.

    A nodata centre stays nodata. All is done in float64 and for every block alike, also for one that
    misses no value, so that a pixel's value does not depend on the block it is in.
    """
    valid = ~np.isnan(block) if np.isnan(nodata) else block != nodata
    values = np.where(valid, block, 0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = smooth(values) / smooth(valid.astype(np.float64))
    centre = crop(block, halo)
    if block.dtype != np.float32:
        means = np.clip(np.rint(np.nan_to_num(means)), 0, np.iinfo(block.dtype).max)
    return np.where(crop(valid, halo), means.astype(block.dtype), centre)
