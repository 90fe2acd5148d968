"""Weights between pixels, as OpenCV defines them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_stage.operations.arithmetic.nans import one_nan

Weights = NDArray[np.floating[Any]]

CUBIC = -0.75
"""The free parameter of cubic convolution (Keys, 1981) that OpenCV takes."""

_LANCZOS_LOBES = 4


def linear_weights(fraction: Weights) -> Weights:
    """Return the weights of 2 neighbours for places ``fraction`` beyond the first (n → n × 2)."""
    return np.stack([1 - fraction, fraction], axis=-1)


def cubic_weights(fraction: Weights) -> Weights:
    """Return the weights of 4 neighbours for places ``fraction`` beyond the second (n → n × 4)."""
    ahead = 1 - fraction
    first = ((CUBIC * (fraction + 1) - 5 * CUBIC) * (fraction + 1) + 8 * CUBIC) * (fraction + 1) - 4 * CUBIC
    second = ((CUBIC + 2) * fraction - (CUBIC + 3)) * fraction * fraction + 1
    third = ((CUBIC + 2) * ahead - (CUBIC + 3)) * ahead * ahead + 1
    return np.stack([first, second, third, 1 - first - second - third], axis=-1)


def lanczos_weights(fraction: Weights) -> Weights:
    """Return the weights of 8 neighbours for places ``fraction`` beyond the fourth (n → n × 8).

    The windowed sinc of four lobes, brought to a sum of 1.
    """
    distance = fraction[..., np.newaxis] - np.arange(1 - _LANCZOS_LOBES, _LANCZOS_LOBES + 1)
    weights = np.sinc(distance) * np.sinc(distance / _LANCZOS_LOBES)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


WEIGHTS: Mapping[str, tuple[int, Callable[[Weights], Weights]]] = {
    "linear": (0, linear_weights),
    "cubic": (1, cubic_weights),
    "lanczos": (3, lanczos_weights),
}
"""How many neighbours lie before the pixel in which a place falls, and the weights of all of them."""


def rounded(values: NDArray[np.float32], dtype: str) -> NDArray[Any]:
    """Return float32 values in an image's type: integers rounded, halves to even, and clipped.

    Floats may be changed in place.
    """
    if dtype == "float32":
        return one_nan(values)
    return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)
