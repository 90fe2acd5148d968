"""Curves: a new value for each value, whatever the pixel; tables for integers, arithmetic for floats."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.declaring.declaration import Params, Value

Curve = Callable[[Pixels, Params, float], Pixels]
"""Takes values (``float64``, its own to change), the parameters and the value of white; returns new ones."""

_CHUNK = 1 << 13  # values whose doubles stay in cache
_KEPT_TABLES = 16


def by_curve(rows: Pixels, params: Params, curve: Curve) -> Pixels:
    """Return ``rows`` with ``curve`` applied to every value.

    Integers are looked up in a table of ``curve``, rounded (halves to even) and clipped to the type.
    Floats are computed in double precision and rounded once; they are not clipped.
    """
    if rows.dtype == np.float32:
        return in_chunks(rows, lambda values: curve(values.astype(np.float64), params, 1.0))
    return looked_up(rows, _table_of(curve, str(rows.dtype), tuple(params.items())))


def in_chunks(rows: Pixels, call: Callable[[Pixels], Pixels]) -> Pixels:
    """Apply ``call`` to a few values of ``rows`` at a time, so that what it makes of them stays in cache.

    Infinities and NaN are values like others: what is not defined of them becomes NaN without a warning.
    """
    result = np.empty_like(rows)
    values, news = rows.reshape(-1), result.reshape(-1)
    with np.errstate(invalid="ignore", over="ignore"):
        for first in range(0, values.size, _CHUNK):
            part = slice(first, first + _CHUNK)
            news[part] = call(values[part])
    return result


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


def each_looked_up(rows: Pixels, tables: Sequence[Pixels]) -> Pixels:
    """Return the same of rows × columns × channels, with a table of the type itself for each channel."""
    if kernels and rows.dtype == np.uint8:
        result = np.empty_like(rows)
        kernels.look_up_uint8(rows, np.stack(tables)[np.newaxis], result)
        return result
    return cv2.LUT(rows, np.stack(tables, axis=1)[np.newaxis]).reshape(rows.shape)
