"""Counting values over a whole image: what ``otsu`` and ``equalize`` measure, in integers only."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.declaring.declaration import Measured, Params, Round

WIDE_BINS = 65536
_EXACT_COUNT = 1 << 24  # cv2.calcHist counts in float32
_CHUNK = 1 << 15  # values whose indices, of 8 bytes each, stay in cache

_COMPILED_CHANNELS = 64


@dataclass(frozen=True)
class Span:
    """The finite values of a float image, cut into 65,536 bins of equal width."""

    low: float
    high: float

    def positions(self, values: Pixels) -> Pixels:
        """Return where ``values`` lie in units of bins, 0 to 65,536, as float64; NaN stays NaN."""
        # Without any width everything lies in the first bin.
        scale = WIDE_BINS / (self.high - self.low) if self.high > self.low else 1.0
        positions: Pixels = np.subtract(values, self.low, dtype=np.float64)
        positions *= scale
        return positions

    def value(self, position: float) -> float:
        """Return the value at a position in units of bins."""
        return self.low + position * (self.high - self.low) / WIDE_BINS

    def bins(self, values: Pixels) -> Pixels:
        """Return the bin of each value as ``uint16``; NaN and what lies below count as 0."""
        positions = self.positions(values)
        # Unlike maximum, fmax takes the other one of a NaN.
        np.fmax(positions, 0, out=positions)
        return np.minimum(positions, WIDE_BINS - 1, out=positions).astype(np.uint16)


@dataclass(frozen=True)
class Histogram:
    """Counts of each bin (channels × bins, ``int64``) and, for floats, the span that they cover."""

    counts: Pixels
    span: Span | None


Planes = Callable[[Pixels, Params], Pixels]
"""(rows × columns × channels) → rows × columns × measured channels, of the same type."""

Width = Callable[[ImageSpec, Params], int]
"""How many channels are measured."""


def bin_count(dtype: str) -> int:
    """Return 256 for ``uint8``, else 65,536."""
    return 256 if dtype == "uint8" else WIDE_BINS


def rounds(spec: ImageSpec, planes: Planes, width: Width) -> tuple[Round, ...]:
    """Return the sweeps that measure a :class:`Histogram`: one for integers, two for floats."""
    counting = _counting(planes, width)
    return (ranging(planes), counting) if spec.dtype == "float32" else (counting,)


def ranging(planes: Planes) -> Round:
    """Return a sweep that ends with the :class:`Span` of the finite values of all channels together.

    It is 0 to 0 where there are none.
    """

    def start(_spec: ImageSpec, _params: Params, _previous: Measured) -> Pixels:
        # The greatest is kept negated, so that both are minima.
        return np.full(2, np.inf)

    def update(state: Pixels, rows: Pixels, _first_row: int, params: Params, _previous: Measured) -> None:
        values = finite(planes(rows, params))
        if values.size:
            state[0] = min(state[0], float(values.min()))
            state[1] = min(state[1], -float(values.max()))

    def finish(state: Pixels, _spec: ImageSpec, _params: Params, _previous: Measured) -> Span:
        low, high = float(state[0]), -float(state[1])
        return Span(low, high) if low <= high else Span(0.0, 0.0)

    return Round(start=start, update=update, combine="min", finish=finish)


def _counting(planes: Planes, width: Width) -> Round:
    """Count the values of each bin, per measured channel."""

    def start(spec: ImageSpec, params: Params, _previous: Measured) -> Pixels:
        return np.zeros((width(spec, params), bin_count(spec.dtype)), np.int64)

    def update(state: Pixels, rows: Pixels, _first_row: int, params: Params, previous: Measured) -> None:
        measured = planes(rows, params)
        if kernels and measured.dtype == np.uint8 and 1 < len(state) <= _COMPILED_CHANNELS:
            kernels.histogram_uint8(measured, state[np.newaxis])
            return
        for channel in range(len(state)):
            add(state[channel], measured[:, :, channel], previous)

    def finish(state: Pixels, _spec: ImageSpec, _params: Params, previous: Measured) -> Histogram:
        return Histogram(state, previous)

    return Round(start=start, update=update, combine="sum", finish=finish)


def add(counts: Pixels, values: Pixels, span: Span | None) -> None:
    """Add ``values`` to ``counts`` by bin, in place; of floats the finite ones, by the bins of ``span``."""
    binned = (values if span is None else span.bins(finite(values))).reshape(-1)
    if binned.dtype != np.uint8:
        for first in range(0, binned.size, _CHUNK):
            np.add.at(counts, binned[first : first + _CHUNK].astype(np.intp), counts.dtype.type(1))
        return
    for first in range(0, binned.size, _EXACT_COUNT):
        part = binned[first : first + _EXACT_COUNT]
        counts += cv2.calcHist([part], [0], None, [256], [0, 256]).reshape(-1).astype(counts.dtype)


def finite(values: Pixels) -> Pixels:
    """Return ``values`` without NaN and infinities; the same array where there are none."""
    if values.dtype != np.float32:
        return values
    mask = np.isfinite(values)
    return values if mask.all() else values[mask]
