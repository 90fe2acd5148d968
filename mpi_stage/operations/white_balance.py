"""Taking a colour cast away: ``white_balance``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.arithmetic import exact_sums, histogram
from mpi_stage.operations.arithmetic.look_up import each_looked_up, every_value, in_type
from mpi_stage.operations.declaring.declaration import (
    Channels,
    Kind,
    Measured,
    Operation,
    Parameter,
    Params,
    Pattern,
    Reduction,
    Round,
)

_LARGEST_GAIN = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Gains:
    """What each channel is multiplied by, and for integers the products of all values."""

    factors: tuple[float, ...]
    tables: tuple[Pixels, ...]


def _gains(factors: Sequence[float], dtype: str) -> Gains:
    if dtype == "float32":
        return Gains(tuple(factors), ())
    values = every_value(dtype)
    return Gains(tuple(factors), tuple(in_type(values * factor, dtype) for factor in factors))


def _sums() -> Round:
    """Return the sweep of ``gray_world``: the mean of every channel becomes the mean of them all."""

    def start(_spec: ImageSpec, _params: Params, _previous: Measured) -> Pixels:
        return np.zeros((COLOUR_CHANNELS, exact_sums.WIDTH), np.int64)

    def update(state: Pixels, rows: Pixels, _first: int, _params: Params, _previous: Measured) -> None:
        for channel in range(COLOUR_CHANNELS):
            exact_sums.add(state[channel], rows[:, :, channel])

    def finish(state: Pixels, spec: ImageSpec, _params: Params, _previous: Measured) -> Gains:
        means = [exact_sums.mean(one, spec.dtype) for one in state]
        gray = sum(means, Fraction(0)) / COLOUR_CHANNELS
        return _gains([_factor(gray, mean) for mean in means], spec.dtype)

    return Round(start=start, update=update, combine="sum", finish=finish)


def _greatest() -> Round:
    """Return the sweep of ``white_patch``: the greatest value of every channel becomes white."""

    def start(_spec: ImageSpec, _params: Params, _previous: Measured) -> Pixels:
        return np.full(COLOUR_CHANNELS, -np.inf)

    def update(state: Pixels, rows: Pixels, _first: int, _params: Params, _previous: Measured) -> None:
        for channel in range(COLOUR_CHANNELS):
            values = histogram.finite(rows[:, :, channel])
            if values.size:
                state[channel] = max(state[channel], float(values.max()))

    def finish(state: Pixels, spec: ImageSpec, _params: Params, _previous: Measured) -> Gains:
        white = Fraction(spec.value_range)
        known = [Fraction(float(value)) if math.isfinite(value) else Fraction(0) for value in state]
        return _gains([_factor(white, value) for value in known], spec.dtype)

    return Round(start=start, update=update, combine="max", finish=finish)


def _factor(wanted: Fraction, found: Fraction) -> float:
    """Return what turns ``found`` into ``wanted``; 1 where nothing positive does."""
    if found <= 0 or wanted <= 0:
        return 1.0
    return float(min(wanted / found, Fraction(_LARGEST_GAIN)))


def _rounds(_spec: ImageSpec, params: Params) -> tuple[Round, ...]:
    return (_sums() if params["method"] == "gray_world" else _greatest(),)


def _apply(rows: Pixels, _first_row: int, _params: Params, measured: Measured) -> Pixels:
    """Return the rows with each channel multiplied; integers are rounded and clipped."""
    gains: Gains = measured
    if rows.dtype == np.float32:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.multiply(rows, np.array(gains.factors, np.float32))
    return each_looked_up(rows, gains.tables)


def _tell(measured: Measured, _params: Params) -> dict[str, list[float]]:
    """Return what red, green and blue were multiplied by."""
    gains: Gains = measured
    return {"gains": list(gains.factors)}


WHITE_BALANCE = Operation(
    name="white_balance",
    label="White balance",
    help="Takes a colour cast away by multiplying red, green and blue, each with what the whole picture "
    "says. Of floats, NaN and infinities are not measured, nothing is clipped, and channels without positive "
    "values stay.",
    family="threshold",
    pattern=Pattern.REDUCE,
    reference="v · gain, rounded and clipped to the type; gains from exact sums in whole numbers",
    parameters=(
        Parameter(
            "method",
            Kind.CHOICE,
            "gray_world: the mean of each channel becomes the mean of all three, so that the picture is gray "
            "on average; white_patch: the greatest value of each channel becomes white.",
            default="gray_world",
            choices=("gray_world", "white_patch"),
        ),
    ),
    channels=Channels.COLOUR,
    cost=lambda params, spec: {"uint8": 4.0, "uint16": 5.0}.get(
        spec.dtype, 45.0 if params["method"] == "gray_world" else 8.0
    ),
    reduction=Reduction(rounds=_rounds, apply=_apply, tell=_tell),
)
