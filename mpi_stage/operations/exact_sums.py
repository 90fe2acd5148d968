"""Sums of all finite values of each channel, without any rounding and so in any order.

Integers add up in 64 bits. A float is a whole number (its mantissa, with sign) times a power of two:
mantissas are added up exactly for each power by itself, and the powers put together at the end, in
Python's integers. This is a superaccumulator with one 64-bit limb for each exponent; the idea is of
R. M. Neal, "Fast exact summation using small and large superaccumulators", 2015.
"""

from fractions import Fraction

import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.operations import histogram

_EXPONENTS = 256
_MANTISSA_BITS = 23
_LEAST_EXPONENT = -149
"""The smallest float is 2 to the power of this."""

WIDTH = _EXPONENTS + 1
"""Integers that hold the sum of a channel: one for each exponent, then how many values there are."""

_EXACT_VALUES = 1 << (53 - _MANTISSA_BITS - 2)
"""So many mantissas add up in a double without rounding."""


def add(state: Pixels, values: Pixels) -> None:
    """Add the finite ``values`` of one channel to ``state``, :data:`WIDTH` integers of ``int64``."""
    known = histogram.finite(values).reshape(-1)
    state[-1] += known.size
    if known.dtype != np.float32:
        state[0] += int(known.sum(dtype=np.int64))
        return
    for first in range(0, known.size, _EXACT_VALUES):
        state[:_EXPONENTS] += _by_exponent(known[first : first + _EXACT_VALUES])


def _by_exponent(values: Pixels) -> Pixels:
    """Return the sum of mantissas of each exponent."""
    bits = np.ascontiguousarray(values).view(np.int32)
    exponents = (bits >> _MANTISSA_BITS) & (_EXPONENTS - 1)
    mantissas = bits & ((1 << _MANTISSA_BITS) - 1)
    mantissas |= (exponents > 0).astype(np.int32) << _MANTISSA_BITS
    signed = np.where(bits < 0, -mantissas, mantissas)
    # Weights are doubles: every sum stays below 2**53.
    return np.bincount(exponents, weights=signed, minlength=_EXPONENTS).astype(np.int64)


def total(state: Pixels, dtype: str) -> Fraction:
    """Return the exact sum that ``state`` holds."""
    if dtype != "float32":
        return Fraction(int(state[0]))
    # The exponents 0 (tiny values without a leading one) and 1 mean the same power of two.
    units = sum(int(sums) << max(exponent - 1, 0) for exponent, sums in enumerate(state[:_EXPONENTS]))
    return Fraction(units) / (1 << -_LEAST_EXPONENT)


def mean(state: Pixels, dtype: str) -> Fraction:
    """Return the exact mean of the values added, 0 if there are none."""
    return total(state, dtype) / max(int(state[-1]), 1)
