"""The parameters of an operation, and how a value given for one is read and checked."""

import math
from collections.abc import Callable, Mapping

from mpi_stage.errors import ParameterError
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Value
from mpi_stage.operations.spelling.suggestions import did_you_mean, shown

BORDER_ALIASES: Mapping[str, str] = {
    "reflect101": Border.MIRROR.value,
    "replicate": Border.NEAREST.value,
    "edge": Border.NEAREST.value,
    "symmetric": Border.REFLECT.value,
}
"""OpenCV's ``reflect101`` and ``replicate``, numpy's ``edge`` and ``symmetric``."""

BORDER_NOTE = (
    "numpy and SciPy mean different things by reflect: ours is SciPy's (dcba|abcd|dcba, numpy's symmetric); "
    "numpy's reflect is mirror here (dcb|abcd|cba)"
)

MAX_NUMBERS = 63 * 63

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def border_parameter(default: Border) -> Parameter:
    """Return the declaration of ``border`` with an operation's default."""
    return Parameter(
        "border",
        Kind.CHOICE,
        "What is seen outside the image: mirror (dcb|abcd|cba), reflect (dcba|abcd|dcba), nearest, wrap, or "
        f"constant (see fill). Also reflect101, replicate, edge, symmetric. {BORDER_NOTE}.",
        default=default.value,
        choices=tuple(border.value for border in Border),
    )


FILL = Parameter(
    "fill",
    Kind.FLOAT,
    "The value outside the image for border=constant, in the image's own values; integers round and clip it.",
    default=0.0,
)


def parameters_of(operation: Operation) -> tuple[Parameter, ...]:
    """Return the parameters of ``operation``, with ``border`` and ``fill`` where it looks at neighbours."""
    if operation.border is None:
        return operation.parameters
    return (*operation.parameters, border_parameter(operation.border), FILL)


def from_text(parameter: Parameter, text: str) -> object:
    """Turn a value of the text spelling into what JSON would have held.

    Raises
    ------
    ParameterError: the text does not spell a value of the parameter's kind.

    """
    try:
        return _READERS[parameter.kind](text)
    except ValueError:
        raise ParameterError(_wrong_kind(parameter, text)) from None


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE + _FALSE:
        raise ValueError(text)
    return lowered in _TRUE


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


_READERS: Mapping[Kind, Callable[[str], object]] = {
    Kind.INT: int,
    Kind.FLOAT: float,
    Kind.CHOICE: str,
    Kind.BOOL: _boolean,
    Kind.NUMBERS: _numbers,
}


def checked(parameter: Parameter, value: object) -> Value:
    """Return ``value`` in the parameter's own type, if it is of its kind and within its bounds.

    Raises
    ------
    ParameterError: it is not; the message holds the bounds or choices and the value.

    """
    return _CHECKS[parameter.kind](parameter, value)


def _checked_int(parameter: Parameter, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ParameterError(_wrong_kind(parameter, value))
    _check_bounds(parameter, value)
    if parameter.odd and value % 2 == 0:
        raise ParameterError(f"{parameter.name} must be odd, got {value}")
    return value


def _checked_float(parameter: Parameter, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterError(_wrong_kind(parameter, value))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ParameterError(f"{parameter.name} must be a finite number, got {shown(value)}")
    _check_bounds(parameter, number)
    return number


def _checked_choice(parameter: Parameter, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and str(value) in parameter.choices:
        return str(value)
    if not isinstance(value, str):
        raise ParameterError(_wrong_kind(parameter, value))
    is_border = parameter.name == "border"
    chosen = BORDER_ALIASES.get(value, value) if is_border else value
    if chosen not in parameter.choices:
        note = f" ({BORDER_NOTE})" if is_border else ""
        listed = ", ".join(parameter.choices)
        raise ParameterError(
            f"{parameter.name} must be one of {listed}, got {shown(value)}"
            f"{did_you_mean(value, parameter.choices)}{note}"
        )
    return chosen


def _checked_bool(parameter: Parameter, value: object) -> bool:
    if not isinstance(value, bool):
        raise ParameterError(_wrong_kind(parameter, value))
    return value


def _checked_numbers(parameter: Parameter, value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple):
        raise ParameterError(_wrong_kind(parameter, value))
    if not 0 < len(value) <= MAX_NUMBERS:
        raise ParameterError(f"{parameter.name} takes 1 to {MAX_NUMBERS} numbers, got {len(value)}")
    if parameter.counts and len(value) not in parameter.counts:
        counts = " or ".join(str(count) for count in parameter.counts)
        raise ParameterError(f"{parameter.name} takes {counts} numbers, got {len(value)}")
    numbers = tuple(_checked_float(parameter, number) for number in value)
    for number in numbers:
        if parameter.whole and not number.is_integer():
            raise ParameterError(f"{parameter.name} must be whole numbers, got {number:g}")
    return numbers


_CHECKS: Mapping[Kind, Callable[[Parameter, object], Value]] = {
    Kind.INT: _checked_int,
    Kind.FLOAT: _checked_float,
    Kind.CHOICE: _checked_choice,
    Kind.BOOL: _checked_bool,
    Kind.NUMBERS: _checked_numbers,
}

_KIND_NAMES: Mapping[Kind, str] = {
    Kind.INT: "an integer",
    Kind.FLOAT: "a number",
    Kind.CHOICE: "a word",
    Kind.BOOL: "true or false",
    Kind.NUMBERS: "a list of numbers",
}


def _wrong_kind(parameter: Parameter, value: object) -> str:
    return f"{parameter.name} must be {_KIND_NAMES[parameter.kind]}, got {shown(value)}"


def _check_bounds(parameter: Parameter, value: float) -> None:
    """Refuse a value outside the bounds, both of which belong to them."""
    low, high = parameter.minimum, parameter.maximum
    if (low is None or value >= low) and (high is None or value <= high):
        return
    unit = f" {parameter.unit}" if parameter.unit else ""
    if low is None:
        allowed = f"at most {high:g}"
    elif high is None:
        allowed = f"at least {low:g}"
    else:
        allowed = f"between {low:g} and {high:g}"
    raise ParameterError(f"{parameter.name} must be {allowed}{unit}, got {shown(value)}")
