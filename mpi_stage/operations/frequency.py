"""Filters by frequency: ``lowpass``, ``highpass``, ``bandpass``, after Butterworth.

Source: S. Butterworth, "On the Theory of Filter Amplifiers", Experimental Wireless 7 (1930), taken to
two dimensions by the distance from frequency zero.
"""

import math

import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import ImageSpec
from mpi_stage.operations.arithmetic.blocks import measured_channels
from mpi_stage.operations.declaring.declaration import Kind, Moved, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import integer, number

Gains = NDArray[np.float64]

COMPLEX_BYTES = 16
EXCHANGE_BYTES = 8 << 20
"""Rows and lines are transformed, and travel, in portions of about this size."""

BATCH = 8
"""Transforms are done in multiples of this many, as many as the widest vector registers take: so each
goes the same way through the library, whatever lies beside it, and gives the same bits."""

_PORTIONS = 8
"""Portions held at once: sent, received, turned round, and the transform's own temporaries."""

_LOWEST = 0.1
_HIGHEST = 1e9
_NS_PER_VALUE = 90.0


def gains(name: str, first: NDArray[np.int64], second: NDArray[np.int64], params: Params) -> Gains:
    """Return the factor for each pair of frequencies of the two axes, ``first`` × ``second``.

    Frequencies are in cycles per picture. Only sums, products and quotients of float64 are used, which
    are the same on every machine and for any cut of the frequencies.
    """
    squares = (second * second).astype(np.float64)
    distances = (first * first).astype(np.float64)[:, np.newaxis] + squares
    order = integer(params, "order")
    if name == "lowpass":
        return _lowpass(distances, number(params, "cutoff"), order)
    if name == "highpass":
        return 1.0 - _lowpass(distances, number(params, "cutoff"), order)
    low, high = sorted((number(params, "low"), number(params, "high")))
    return _lowpass(distances, high, order) * (1.0 - _lowpass(distances, low, order))


def _lowpass(distances: Gains, cutoff: float, order: int) -> Gains:
    """Return 1 / (1 + (d / cutoff)^(2·order)) for squared distances d²."""
    ratio = distances / (cutoff * cutoff)
    power = ratio.copy()
    for _ in range(order - 1):
        power *= ratio
    return np.asarray(1.0 / (1.0 + power))


def frequencies(length: int) -> NDArray[np.int64]:
    """Return the frequencies of a transform of ``length`` values, in its order: 0, 1, … −2, −1."""
    positions = np.arange(length, dtype=np.int64)
    return np.where(positions > (length - 1) // 2, positions - length, positions)


def lines_of(spec: ImageSpec) -> int:
    """Return the number of spectral lines of an image: one per channel and frequency across."""
    return measured_channels(spec) * (spec.columns // 2 + 1)


def round_height(lines: int, slab_rows: int, ranks: int) -> int:
    """Return how many rows each rank gives to one round of the exchange.

    The rounds are of even height, so that little is wasted in the last one. Each rank takes part with
    at least one line, however few there are.
    """
    most = max(1, EXCHANGE_BYTES // (max(lines, ranks) * COMPLEX_BYTES))
    return math.ceil(slab_rows / math.ceil(slab_rows / most))


def lines_at_once(length: int, lines: int) -> int:
    """Return how many of a rank's ``lines`` spectral lines of ``length`` values are transformed together."""
    most = min(whole_batches(lines), EXCHANGE_BYTES // (length * COMPLEX_BYTES) // BATCH * BATCH)
    return max(BATCH, most)


def whole_batches(count: int) -> int:
    """Return ``count`` rounded up to a multiple of :data:`BATCH`."""
    return math.ceil(count / BATCH) * BATCH


def _working_bytes(_params: Params, spec: ImageSpec, slab_rows: int, ranks: int) -> int:
    lines = lines_of(spec)
    sent = round_height(lines, slab_rows, ranks) * lines * COMPLEX_BYTES
    return _PORTIONS * max(
        sent, lines_at_once(spec.rows, math.ceil(lines / ranks)) * spec.rows * COMPLEX_BYTES
    )


def _slab_bytes(_params: Params, spec: ImageSpec, slab_rows: int, ranks: int) -> int:
    lines = lines_of(spec)
    height = round_height(lines, slab_rows, ranks)
    rounds = math.ceil(slab_rows / height)
    return math.ceil(lines / ranks) * rounds * height * ranks * COMPLEX_BYTES + slab_rows * spec.row_bytes


def _traffic(_params: Params, spec: ImageSpec, slab_rows: int, ranks: int) -> Moved:
    """Return what dealing the spectrum by lines and back by rows takes: all but a rank's own part."""
    lines = lines_of(spec)
    given = slab_rows * (lines - lines // ranks)
    gotten = math.ceil(lines / ranks) * (spec.rows - slab_rows)
    moved = (given + gotten) * COMPLEX_BYTES
    return Moved(moved, moved, 2 * (ranks - 1))


def _cost(_params: Params, spec: ImageSpec) -> float:
    return measured_channels(spec) * _NS_PER_VALUE


_ORDER = Parameter(
    "order",
    Kind.INT,
    "Steepness: how quickly the filter closes around its limit.",
    default=2,
    minimum=1,
    maximum=10,
)
_UNIT = "cycles per picture"


def _limit(name: str, words: str, default: float) -> Parameter:
    return Parameter(name, Kind.FLOAT, words, default=default, minimum=_LOWEST, maximum=_HIGHEST, unit=_UNIT)


def _declare(name: str, label: str, words: str, reference: str, *limits: Parameter) -> Operation:
    return Operation(
        name=name,
        label=label,
        help=f"{words} A frequency is the distance √(u² + v²), u being the cycles across the width and v "
        "those down the height. Alpha stays as it is.",
        family="frequency",
        pattern=Pattern.GLOBAL,
        reference=f"scipy.fft.irfft2(scipy.fft.rfft2(picture) × {reference}) of the whole picture",
        parameters=(*limits, _ORDER),
        cost=_cost,
        collective="frequency",
        working_bytes=_working_bytes,
        slab_bytes=_slab_bytes,
        ends_in_slab=lambda _params: True,
        reading_bytes=lambda _params, _spec, _rows, _ranks: 0,
        traffic=_traffic,
    )


_CUTOFF = "The frequency at which half is left."
LOWPASS = _declare(
    "lowpass",
    "Low-pass filter",
    "Keeps coarse structure and drops fine detail.",
    "1 / (1 + (d / cutoff)^(2·order))",
    _limit("cutoff", _CUTOFF, 30.0),
)
HIGHPASS = _declare(
    "highpass",
    "High-pass filter",
    "Keeps fine detail and drops coarse structure, the mean included: integers below 0 become 0.",
    "(1 − 1 / (1 + (d / cutoff)^(2·order)))",
    _limit("cutoff", _CUTOFF, 30.0),
)
BANDPASS = _declare(
    "bandpass",
    "Band-pass filter",
    "Keeps what lies between two frequencies; the mean is dropped: integers below 0 become 0. If low is "
    "above high the two change places.",
    "lowpass(high) × highpass(low)",
    _limit("low", "The frequency below which the picture fades.", 10.0),
    _limit("high", "The frequency above which the picture fades.", 100.0),
)
