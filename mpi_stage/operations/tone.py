"""Light and dark by a curve: ``brightness``, ``contrast``, ``gamma``, ``levels``."""

import numpy as np

from mpi_stage.errors import ParameterError
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import per_channel
from mpi_stage.operations.arithmetic.look_up import by_curve
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import number

_SHARE = "as a share of the type's range (0 is black, 1 is white)"


def _brighter(values: Pixels, params: Params, white: float) -> Pixels:
    offset = number(params, "offset") * white
    # A whole number for integers: halves to even would lift some values further than others.
    values += offset if white == 1 else round(offset)
    return values


def _contrasted(values: Pixels, params: Params, white: float) -> Pixels:
    pivot = number(params, "pivot") * white
    values -= pivot
    values *= number(params, "factor")
    values += pivot
    return values


def _power(values: Pixels, gamma: float) -> Pixels:
    """Return values to the power of 1/gamma; negative ones keep their sign."""
    powers: Pixels = np.copysign(np.power(np.abs(values), 1 / gamma), values)
    return powers


def _gamma(values: Pixels, params: Params, white: float) -> Pixels:
    values /= white
    return _power(values, number(params, "gamma")) * white


def _levels(values: Pixels, params: Params, white: float) -> Pixels:
    low, high = number(params, "in_low"), number(params, "in_high")
    black, bright = number(params, "out_low"), number(params, "out_high")
    values /= white
    values -= low
    with np.errstate(over="ignore"):  # a tiny span makes infinities, which are clipped
        values /= high - low
    np.clip(values, 0, 1, out=values)
    gamma = number(params, "gamma")
    share = values if gamma == 1 else _power(values, gamma)
    return (share * (bright - black) + black) * white


def _check_levels(params: Params, _spec: ImageSpec) -> None:
    low, high = number(params, "in_low"), number(params, "in_high")
    if low >= high:
        message = f"levels needs in_low below in_high, got in_low={low:g} and in_high={high:g}"
        raise ParameterError(f"{message}; to turn light into dark, exchange out_low and out_high")


def _cost(params: Params, spec: ImageSpec) -> float:
    """Tables for integers; floats are computed, and powers of them take longest."""
    if spec.dtype != "float32":
        return per_channel(spec, 0.4 if spec.dtype == "uint8" else 0.3)
    return per_channel(spec, 9.0 if params.get("gamma", 1) != 1 else 1.0)


def _share(name: str, text: str, default: float) -> Parameter:
    return Parameter(name, Kind.FLOAT, f"{text}, {_SHARE}.", default=default, minimum=0, maximum=1)


def _midtones(default: float) -> Parameter:
    return Parameter(
        "gamma",
        Kind.FLOAT,
        "Above 1 brightens the midtones, below 1 darkens them; 1 leaves them.",
        default=default,
        minimum=0.01,
        maximum=10,
    )


BRIGHTNESS = Operation(
    name="brightness",
    label="Brightness",
    help="Makes all values lighter or darker by the same amount. Integers stop at black and white; floats "
    "are not clipped.",
    family="colour",
    pattern=Pattern.POINT,
    reference="saturating addition, as cv2.add",
    parameters=(
        Parameter(
            "offset",
            Kind.FLOAT,
            "What is added, as a share of the type's range: 0.1 adds 26 of 255; negative darkens. For "
            "integers rounded to a whole value.",
            default=0.1,
            minimum=-1,
            maximum=1,
        ),
    ),
    cost=_cost,
    point=lambda rows, params: by_curve(rows, params, _brighter),
)

CONTRAST = Operation(
    name="contrast",
    label="Contrast",
    help="Moves values away from a pivot (factor above 1) or towards it (below 1). Integers stop at black "
    "and white; floats are not clipped.",
    family="colour",
    pattern=Pattern.POINT,
    reference="(v - pivot) · factor + pivot in double precision, rounded and clipped to the type",
    parameters=(
        Parameter(
            "factor",
            Kind.FLOAT,
            "What the distance from the pivot is multiplied by; 1 leaves it, 0 makes everything the pivot.",
            default=1.5,
            minimum=0,
            maximum=10,
        ),
        _share("pivot", "The value that stays", 0.5),
    ),
    cost=_cost,
    point=lambda rows, params: by_curve(rows, params, _contrasted),
)

GAMMA = Operation(
    name="gamma",
    label="Gamma",
    help="Brightens or darkens the midtones and leaves black and white: each value, as a share of the "
    "range, to the power of 1/gamma. Negative floats keep their sign.",
    family="colour",
    pattern=Pattern.POINT,
    reference="white · (v / white) ** (1 / gamma) in double precision, a look-up table for integers",
    parameters=(_midtones(2.2),),
    cost=_cost,
    point=lambda rows, params: by_curve(rows, params, _gamma),
)

LEVELS = Operation(
    name="levels",
    label="Levels",
    help="Sets which values become black and white, and how bright the midtones are, as photo editors do: "
    "what lies beyond in_low and in_high is clipped, also of floats. See stretch for bounds found by itself.",
    family="colour",
    pattern=Pattern.POINT,
    reference="clip((v - in_low) / (in_high - in_low), 0, 1) ** (1 / gamma), spread from out_low to out_high",
    parameters=(
        _share("in_low", "What becomes out_low", 0.0),
        _share("in_high", "What becomes out_high", 1.0),
        _share("out_low", "The darkest value of the result", 0.0),
        _share("out_high", "The brightest value of the result; below out_low it inverts", 1.0),
        _midtones(1.0),
    ),
    check=_check_levels,
    cost=_cost,
    point=lambda rows, params: by_curve(rows, params, _levels),
)
