"""Sums of all finite values of each channel, without any rounding and so in any order.

Integers add up in 64 bits. A float is a whole number (its mantissa, with sign) times a power of two.
Floats with the same power add up in a double without rounding. As whole numbers these sums are kept for
each power by itself, and put together at the end, in Python's integers. This is a superaccumulator with
one 64-bit limb for each exponent; the idea is of R. M. Neal, "Fast exact summation using small and large
superaccumulators", 2015.
"""

from fractions import Fraction

import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic import histogram

_EXPONENTS = 256
_MANTISSA_BITS = 23
_LEAST_EXPONENT = -149
"""The smallest float is 2 to the power of this."""

WIDTH = _EXPONENTS + 1
"""Integers that hold the sum of a channel: one for each exponent, then how many values there are."""

_CHUNK = 1 << 14
"""Values added at once; up to 2 to the power of 29 of them, of one exponent, fit a double exactly."""


def add(state: Pixels, values: Pixels) -> None:
    """Add the finite ``values`` of one channel to ``state``, :data:`WIDTH` integers of ``int64``."""
    known = histogram.finite(values).reshape(-1)
    state[-1] += known.size
    if known.dtype != np.float32:
        state[0] += int(known.sum(dtype=np.int64))
        return
    for first in range(0, known.size, _CHUNK):
        state[:_EXPONENTS] += _by_exponent(known[first : first + _CHUNK])


# The exponents 0 (tiny values without a leading one) and 1 mean the same power of two.
_SHIFTS = np.maximum(np.arange(_EXPONENTS), 1) - 1


def _by_exponent(values: Pixels) -> Pixels:
    """Return the sum of the mantissas of each exponent."""
    exponents = (values.view(np.int32) >> _MANTISSA_BITS) & (_EXPONENTS - 1)
    sums = np.bincount(exponents, weights=values, minlength=_EXPONENTS)
    mantissas: Pixels = np.ldexp(sums, -_LEAST_EXPONENT - _SHIFTS)
    return mantissas.astype(np.int64)


def total(state: Pixels, dtype: str) -> Fraction:
    """Return the exact sum that ``state`` holds."""
    if dtype != "float32":
        return Fraction(int(state[0]))
    units = sum(int(sums) << int(shift) for sums, shift in zip(state, _SHIFTS, strict=False))
    return Fraction(units) / (1 << -_LEAST_EXPONENT)


def mean(state: Pixels, dtype: str) -> Fraction:
    """Return the exact mean of the values added, 0 if there are none."""
    return total(state, dtype) / max(int(state[-1]), 1)
