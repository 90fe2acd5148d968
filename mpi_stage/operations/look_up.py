"""Curves: a new value for each value, whatever the pixel; tables for integers, arithmetic for floats."""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.operations.declaration import Params, Value

Curve = Callable[[Pixels, Params, float], Pixels]
"""Takes values (``float64``, any shape), the parameters and the value of white; returns new values."""

_KEPT_TABLES = 16


def by_curve(rows: Pixels, params: Params, curve: Curve) -> Pixels:
    """Return ``rows`` with ``curve`` applied to every value.

    Integers are looked up in a table of ``curve``, rounded (halves to even) and clipped to the type.
    Floats are computed in double precision and rounded once; they are not clipped.
    """
    if rows.dtype == np.float32:
        # An infinity may meet another one, or a NaN: both are values like others here.
        with np.errstate(invalid="ignore", over="ignore"):
            return curve(rows.astype(np.float64), params, 1.0).astype(np.float32)
    return looked_up(rows, _table_of(curve, str(rows.dtype), tuple(params.items())))


@lru_cache(maxsize=_KEPT_TABLES)
def _table_of(curve: Curve, dtype: str, params: tuple[tuple[str, Value], ...]) -> Pixels:
    return in_type(curve(every_value(dtype), dict(params), float(np.iinfo(dtype).max)), dtype)


def every_value(dtype: str) -> Pixels:
    """Return all values of an unsigned integer type in order, as ``float64``."""
    return np.arange(np.iinfo(dtype).max + 1, dtype=np.float64)


def in_type(values: Pixels, dtype: str) -> Pixels:
    """Round ``values`` (halves to even) and clip them to an unsigned integer type."""
    rounded: Pixels = np.clip(np.rint(values), 0, np.iinfo(dtype).max)
    return rounded.astype(dtype)


def looked_up(rows: Pixels, table: Pixels) -> Pixels:
    """Return the entry of ``table`` (256 or 65,536 of any type) for every value of unsigned integers."""
    flat = rows.reshape(rows.shape[0], -1)
    return cv2.LUT(flat, table).reshape(rows.shape)
