"""Canny's thinning of gradients to lines, for the types that ``cv2.Canny`` does not take."""

import numpy as np

from mpi_stage.image import Pixels

# tan 22.5° and tan 67.5° × 2¹⁵, as whole numbers: OpenCV's, so that ties fall alike.
_ONE = 32768
_TAN_22 = 13573
_TAN_67 = _TAN_22 + 2 * _ONE


def thin(across: Pixels, down: Pixels, low: float, high: float, *, euclidean: bool) -> Pixels:
    """Return the map of weak (1) and strong (2) edge pixels of float32 gradients.

    A pixel stays if its magnitude is above ``low`` and above those of its two neighbours along the
    gradient, whose direction is one of four sectors. All products are exact in double precision.

    Parameters
    ----------
    across, down: (n + 2) × (columns + 2) derivatives, one pixel of halo on each side.
    low, high: thresholds in the units of the magnitude.
    euclidean: whether the magnitude is √(x² + y²) instead of |x| + |y|.

    Returns
    -------
    n × columns ``uint8``. A NaN is no edge.

    """
    if euclidean:
        low, high = low * low, high * high
    with np.errstate(invalid="ignore", over="ignore"):
        strength = _strength(across.astype(np.float64), down.astype(np.float64), euclidean)
        weak = _is_ridge(strength, across[1:-1, 1:-1], down[1:-1, 1:-1]) & (strength[1:-1, 1:-1] > low)
        strong = weak & (strength[1:-1, 1:-1] > high)
    return weak.view(np.uint8) + strong.view(np.uint8)


def _strength(across: Pixels, down: Pixels, euclidean: bool) -> Pixels:
    """Return the magnitude, squared if ``euclidean``."""
    return across * across + down * down if euclidean else np.abs(across) + np.abs(down)


def _is_ridge(strength: Pixels, across: Pixels, down: Pixels) -> Pixels:
    """Whether each inner pixel is the greatest of the three along its gradient.

    Of two equal neighbours across or down, the first stays; on a diagonal, none.
    """
    x = np.abs(across.astype(np.float64))
    y = np.abs(down.astype(np.float64)) * _ONE
    same_sign = (across < 0) == (down < 0)
    here = strength[1:-1, 1:-1]
    flat = (here > strength[1:-1, :-2]) & (here >= strength[1:-1, 2:])
    steep = (here > strength[:-2, 1:-1]) & (here >= strength[2:, 1:-1])
    falling = (here > strength[:-2, :-2]) & (here > strength[2:, 2:])
    rising = (here > strength[:-2, 2:]) & (here > strength[2:, :-2])
    diagonal = np.where(same_sign, falling, rising)
    ridge: Pixels = np.where(y < x * _TAN_22, flat, np.where(y > x * _TAN_67, steep, diagonal))
    return ridge
