"""The k-th smallest of all finite values of an image, exactly, by counting alone.

Integers are counted once, by value. Floats are counted twice: by the upper half of their bits, which
finds the bin that holds each value sought, and within these bins by the lower half. Bits are taken in
an order in which unsigned integers compare like the floats that they stand for.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic import histogram
from mpi_stage.operations.declaring.declaration import Measured, Params, Round

_SIGN = np.uint32(1 << 31)
_HALF_BITS = 16

Ranks = Callable[[int, Params], tuple[int, ...]]
"""(number of finite values, at least 1; parameters) → which are sought, counted from 0."""


@dataclass(frozen=True)
class Found:
    """How many finite values there are, and those sought; none where ``total`` is 0."""

    total: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class _Bins:
    """The bins in which the values sought lie, and their places within."""

    total: int
    bins: tuple[int, ...]
    places: tuple[int, ...]


def rounds(spec: ImageSpec, ranks: Ranks) -> tuple[Round, ...]:
    """Return the sweeps that end with :class:`Found`: one for integers, two for floats."""
    if spec.dtype == "float32":
        return (_coarse(ranks), _fine(ranks))
    return (_by_value(ranks),)


def _located(counts: Pixels, sought: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the bin of each value sought, and its place within the bin."""
    sums = np.cumsum(counts)
    bins = tuple(int(np.searchsorted(sums, rank, side="right")) for rank in sought)
    places = tuple(rank - int(sums[at] - counts[at]) for at, rank in zip(bins, sought, strict=True))
    return bins, places


def _by_value(ranks: Ranks) -> Round:
    def start(spec: ImageSpec, _params: Params, _previous: Measured) -> Pixels:
        return np.zeros(histogram.bin_count(spec.dtype), np.int64)

    def update(state: Pixels, rows: Pixels, _first: int, _params: Params, _previous: Measured) -> None:
        histogram.add(state, rows, None)

    def finish(state: Pixels, _spec: ImageSpec, params: Params, _previous: Measured) -> Found:
        total = int(state.sum())
        bins, _ = _located(state, ranks(total, params))
        return Found(total, tuple(float(value) for value in bins))

    return Round(start=start, update=update, combine="sum", finish=finish)


def _coarse(ranks: Ranks) -> Round:
    def start(_spec: ImageSpec, _params: Params, _previous: Measured) -> Pixels:
        return np.zeros(histogram.WIDE_BINS, np.int64)

    def update(state: Pixels, rows: Pixels, _first: int, _params: Params, _previous: Measured) -> None:
        histogram.add(state, _upper(_ordered(rows)), None)

    def finish(state: Pixels, _spec: ImageSpec, params: Params, _previous: Measured) -> _Bins:
        total = int(state.sum())
        return _Bins(total, *_located(state, ranks(total, params))) if total else _Bins(0, (), ())

    return Round(start=start, update=update, combine="sum", finish=finish)


def _fine(ranks: Ranks) -> Round:
    def start(_spec: ImageSpec, _params: Params, previous: Measured) -> Pixels:
        found: _Bins = previous
        return np.zeros((len(found.bins), histogram.WIDE_BINS), np.int64)

    def update(state: Pixels, rows: Pixels, _first: int, _params: Params, previous: Measured) -> None:
        found: _Bins = previous
        ordered = _ordered(rows)
        upper = _upper(ordered)
        for index, wanted in enumerate(found.bins):
            if found.bins.index(wanted) == index:
                histogram.add(state[index], _lower(ordered[upper == wanted]), None)

    def finish(state: Pixels, _spec: ImageSpec, _params: Params, previous: Measured) -> Found:
        found: _Bins = previous
        values = []
        for wanted, place in zip(found.bins, found.places, strict=True):
            lower, _ = _located(state[found.bins.index(wanted)], (place,))
            values.append(_float(wanted << _HALF_BITS | lower[0]))
        return Found(found.total, tuple(values))

    def state_bytes(_spec: ImageSpec, params: Params) -> int:
        return len(ranks(1, params)) * histogram.WIDE_BINS * np.dtype(np.int64).itemsize

    return Round(start=start, update=update, combine="sum", finish=finish, state_bytes=state_bytes)


def _ordered(rows: Pixels) -> Pixels:
    """Return the finite values as ``uint32`` that compare as they do."""
    bits = histogram.finite(rows).reshape(-1).view(np.uint32)
    # Negative floats grow towards 0 as their bits shrink.
    flipped: Pixels = (bits.view(np.int32) >> 31).view(np.uint32) | _SIGN
    flipped ^= bits
    return flipped


def _float(ordered: int) -> float:
    bits = np.uint32(ordered)
    back = bits & ~_SIGN if bits & _SIGN else ~bits
    return float(np.array(back, np.uint32).view(np.float32))


def _upper(ordered: Pixels) -> Pixels:
    return (ordered >> np.uint32(_HALF_BITS)).astype(np.uint16)


def _lower(ordered: Pixels) -> Pixels:
    return ordered.astype(np.uint16)
