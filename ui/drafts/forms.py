"""The form of an operation, worked out from its declaration alone."""

from dataclasses import dataclass
from enum import StrEnum

from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Value
from mpi_stage.operations.declaring.parameters import parameters_of

_LETTERS = 20
_FRAME_LETTERS = 5
"""A column has room for buttons of so many letters; the frame of each takes as much as these."""

_BORDER_NAMES = frozenset({"border", "fill"})


class Widget(StrEnum):
    """What a parameter is asked for with."""

    WHOLE_NUMBER = "whole number"
    NUMBER = "number"
    BUTTONS = "buttons"
    LIST = "list"
    SWITCH = "switch"
    TEXT = "text"


@dataclass(frozen=True)
class Field:
    """One input of a form.

    Attributes
    ----------
    name: the parameter's name in a pipeline.
    label, help: for people; the help names unit and bounds.
    widget: what to ask with.
    default: the value if nothing is entered; None means derived.
    minimum, maximum, step: for numbers; None where there is no bound.
    choices: for buttons and lists.
    placeholder: what an empty input shows: the default, or that it is derived.
    further: whether it belongs with the settings that few people need.

    """

    name: str
    label: str
    help: str
    widget: Widget
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    step: float = 1
    choices: tuple[str, ...] = ()
    placeholder: str = ""
    further: bool = False


def fields_of(operation: Operation) -> tuple[Field, ...]:
    """Return the inputs of an operation's form, in the order of its declaration."""
    return tuple(_field(parameter) for parameter in parameters_of(operation))


def _field(parameter: Parameter) -> Field:
    """Return the input for one parameter."""
    return Field(
        name=parameter.name,
        label=_label(parameter),
        help=_help(parameter),
        widget=_widget(parameter),
        default=parameter.default,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        step=_step(parameter),
        choices=parameter.choices,
        placeholder=_placeholder(parameter),
        further=parameter.name in _BORDER_NAMES,
    )


def _label(parameter: Parameter) -> str:
    """Return the name as a person would write it, with its unit."""
    name = parameter.name.replace("_", " ").capitalize()
    return f"{name} ({parameter.unit})" if parameter.unit else name


def _widget(parameter: Parameter) -> Widget:
    """Return what suits the kind of value."""
    if parameter.kind is Kind.CHOICE:
        letters = sum(len(choice) + _FRAME_LETTERS for choice in parameter.choices)
        return Widget.BUTTONS if letters <= _LETTERS else Widget.LIST
    return {
        Kind.INT: Widget.WHOLE_NUMBER,
        Kind.FLOAT: Widget.NUMBER,
        Kind.BOOL: Widget.SWITCH,
        Kind.NUMBERS: Widget.TEXT,
    }[parameter.kind]


def _placeholder(parameter: Parameter) -> str:
    """Return what stands in an empty input."""
    if parameter.default is not None:
        return f"{parameter.default}"
    return "needed" if parameter.required else "derived"


def _step(parameter: Parameter) -> float:
    """Return how far one click goes: odd to odd, and for floats a fine step where the range is small."""
    if parameter.kind is Kind.INT:
        return 2 if parameter.odd else 1
    if parameter.minimum is None or parameter.maximum is None:
        return 1.0
    span = parameter.maximum - parameter.minimum
    return 0.05 if span <= 2 else 0.1 if span <= 10 else 0.5 if span <= 100 else 1.0  # noqa: PLR2004  (by eye)


def _help(parameter: Parameter) -> str:
    """Return the declaration's help, with the bounds and what happens when it is left empty."""
    parts = [parameter.help.rstrip(".") + "."]
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        parts.append(f"From {low:g} to {high:g}{', odd' if parameter.odd else ''}.")
    elif parameter.odd:
        parts.append("Odd.")
    if parameter.default is None:
        parts.append("Needed." if parameter.required else "Left empty, it is derived.")
    return " ".join(parts)
