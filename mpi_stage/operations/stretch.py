"""Spreading values evenly between bounds that are measured: ``stretch`` and ``normalize``."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from mpi_stage.errors import ParameterError
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic import histogram, order_statistics
from mpi_stage.operations.arithmetic.blocks import per_channel
from mpi_stage.operations.arithmetic.look_up import every_value, in_chunks, in_type, looked_up
from mpi_stage.operations.declaring.declaration import (
    Kind,
    Measured,
    Operation,
    Parameter,
    Params,
    Pattern,
    Reduction,
    Round,
)
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import number


@dataclass(frozen=True)
class Bounds:
    """What becomes black and what becomes white; the picture stays where nothing lies between them."""

    low: float
    high: float


def _places(total: int, params: Params) -> tuple[tuple[int, int, float], ...]:
    """Return, for both percentiles, the ranks of the values around each, and the share of the second."""
    places = []
    for name in ("low", "high"):
        position = number(params, name) / 100 * (total - 1)
        rank = math.floor(position)
        places.append((rank, min(rank + 1, total - 1), position - rank))
    return tuple(places)


def _ranks(total: int, params: Params) -> tuple[int, ...]:
    return tuple(rank for first, second, _ in _places(total, params) for rank in (first, second))


def _between(first: float, second: float, share: float) -> float:
    """Return the value a ``share`` of the way on, with the roundings of ``numpy.percentile``."""
    difference = second - first
    return second - difference * (1 - share) if share >= 0.5 else first + difference * share  # noqa: PLR2004  (as numpy does)


def _stretch_rounds(spec: ImageSpec, _params: Params) -> tuple[Round, ...]:
    """Return the sweeps that find the values sought, the last of which ends with the percentiles."""
    *before, last = order_statistics.rounds(spec, _ranks)

    def finish(state: Pixels, spec: ImageSpec, params: Params, previous: Measured) -> Bounds:
        found: order_statistics.Found = last.finish(state, spec, params, previous)
        if not found.total:
            return Bounds(0.0, 0.0)
        (_, _, low), (_, _, high) = _places(found.total, params)
        values = found.values
        return Bounds(_between(values[0], values[1], low), _between(values[2], values[3], high))

    return (*before, replace(last, finish=finish))


def _normalize_rounds(_spec: ImageSpec, _params: Params) -> tuple[Round, ...]:
    ranging = histogram.ranging(lambda rows, _params: rows)

    def finish(state: Pixels, spec: ImageSpec, params: Params, previous: Measured) -> Bounds:
        span: histogram.Span = ranging.finish(state, spec, params, previous)
        return Bounds(span.low, span.high)

    return (Round(start=ranging.start, update=ranging.update, combine=ranging.combine, finish=finish),)


def _apply(rows: Pixels, _first_row: int, _params: Params, measured: Measured) -> Pixels:
    """Return the rows spread between the bounds, in double precision, rounded once; a NaN stays one."""
    bounds: Bounds = measured
    if bounds.low >= bounds.high:
        return rows
    if rows.dtype != np.float32:
        return looked_up(rows, _table(bounds, str(rows.dtype)))

    def spread(values: Pixels) -> Pixels:
        shares: Pixels = np.subtract(values, bounds.low, dtype=np.float64)
        shares /= bounds.high - bounds.low
        return np.clip(shares, 0, 1, out=shares)

    return in_chunks(rows, spread)


@lru_cache(maxsize=8)
def _table(bounds: Bounds, dtype: str) -> Pixels:
    white = float(np.iinfo(dtype).max)
    return in_type((every_value(dtype) - bounds.low) * white / (bounds.high - bounds.low), dtype)


def _tell(measured: Measured, _params: Params) -> dict[str, float]:
    """Return what became black and what became white, in the image's own values."""
    bounds: Bounds = measured
    return {"low": bounds.low, "high": bounds.high}


def _check(params: Params, _spec: ImageSpec) -> None:
    low, high = number(params, "low"), number(params, "high")
    if low >= high:
        message = f"stretch needs low below high, got low={low:g} % and high={high:g} %"
        raise ParameterError(message)


def _percentile(name: str, text: str, default: float) -> Parameter:
    return Parameter(name, Kind.FLOAT, text, default=default, minimum=0, maximum=100, unit="%")


_ALL_CHANNELS = (
    "All channels are measured together, so that colours keep their tint. Of floats, NaN and infinities are "
    "not measured, and the result is 0 to 1; NaN stays. A picture of one value stays."
)

STRETCH = Operation(
    name="stretch",
    label="Stretch the contrast",
    help="Spreads the values between two percentiles of the whole picture from black to white; what lies "
    f"outside is clipped. {_ALL_CHANNELS}",
    family="threshold",
    pattern=Pattern.REDUCE,
    reference="numpy.percentile of the whole picture (linear, in double precision), then "
    "(v - low) / (high - low)",
    parameters=(
        _percentile("low", "How much of the picture, from the darkest value on, becomes black.", 2.0),
        _percentile("high", "Up to where values keep apart; what is lighter becomes white.", 98.0),
    ),
    check=_check,
    cost=lambda _params, spec: per_channel(spec, 1.0 if spec.dtype != "float32" else 3.0),
    reduction=Reduction(rounds=_stretch_rounds, apply=_apply, tell=_tell),
    scratch=by_type(uint8=0.5, uint16=3, float32=16),
)

NORMALIZE = Operation(
    name="normalize",
    label="Normalize",
    help="Spreads the values from black to white, so that the least becomes 0 and the greatest white. "
    f"{_ALL_CHANNELS}",
    family="threshold",
    pattern=Pattern.REDUCE,
    reference="(v - min) · white / (max - min) of the whole picture, rounded to the nearest",
    cost=lambda _params, spec: per_channel(spec, 0.4 if spec.dtype != "float32" else 0.8),
    reduction=Reduction(rounds=_normalize_rounds, apply=_apply, tell=_tell),
)
