"""The catalogue of operations as JSON and as text for people, from the declarations."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from textwrap import fill
from typing import Any

from mpi_stage.operations.declaring.declaration import Operation, Parameter
from mpi_stage.operations.spelling.grammar import parameters_of
from mpi_stage.operations.spelling.presets import PRESETS

_WIDTH = 100


def operation_json(operation: Operation) -> dict[str, Any]:
    """Return everything declared of an operation, apart from its work."""
    return {
        "name": operation.name,
        "aliases": list(operation.aliases),
        "label": operation.label,
        "help": operation.help,
        "family": operation.family,
        "pattern": operation.pattern.value,
        "types": list(operation.types),
        "channels": operation.channels.value,
        "gray_inside": operation.gray_inside,
        "border": operation.border.value if operation.border else None,
        "parameters": [asdict(parameter) for parameter in parameters_of(operation)],
        "reference": operation.reference,
    }


def catalogue_text(operations: Iterable[Operation]) -> str:
    """Return a table of the operations by family: how each is written, and what it does."""
    rows = [(operation.family, _usage(operation), operation.help) for operation in operations]
    width = max(len(usage) for _, usage, _ in rows)
    lines = []
    for family, members in groupby(rows, key=lambda row: row[0]):
        lines += ["", family]
        for _, usage, help_text in members:
            indent = " " * (width + 4)
            lines.append(
                fill(
                    help_text, _WIDTH + width, initial_indent=f"  {usage:{width}}  ", subsequent_indent=indent
                )
            )
    lines += ["", "presets"]
    lines += [f"  @{preset.name:{width - 1}}  {preset.help} ({preset.text})" for preset in PRESETS]
    lines += ["", "All about one of them: halorow ops NAME"]
    return "\n".join(lines[1:])


def operation_text(operation: Operation) -> str:
    """Return all about one operation."""
    kept = f"gray inside; {operation.channels.value}" if operation.gray_inside else operation.channels.value
    facts = {
        "also": ", ".join(operation.aliases),
        "pattern": operation.pattern.value,
        "takes": f"{', '.join(operation.types)}; {kept}",
        "judged by": operation.reference,
    }
    lines = [f"{operation.name}: {operation.label}", fill(operation.help, _WIDTH), ""]
    lines += [f"  {name:10} {value}" for name, value in facts.items() if value]
    parameters = parameters_of(operation)
    lines += ["", "parameters" if parameters else "no parameters"]
    for parameter in parameters:
        lines.append(f"  {parameter.name:10} {_value_text(parameter)}")
        lines.append(fill(parameter.help, _WIDTH, initial_indent=" " * 13, subsequent_indent=" " * 13))
    return "\n".join(lines)


def _usage(operation: Operation) -> str:
    """Return how the operation is written, with the parameters of its own."""
    names = ",".join(f"{parameter.name}=" for parameter in operation.parameters)
    return f"{operation.name}:{names}" if names else operation.name


def _value_text(parameter: Parameter) -> str:
    """Say what values a parameter takes, and what it is when left out."""
    kind = "odd int" if parameter.odd else parameter.kind.value
    said = " | ".join(parameter.choices) if parameter.choices else kind
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        said += f" {low:g} to {high:g}"
    elif low is not None:
        said += f" from {low:g}"
    elif high is not None:
        said += f" up to {high:g}"
    said += f" {parameter.unit}" if parameter.unit else ""
    if parameter.required:
        return f"{said}, required"
    return f"{said}, " + (
        "derived when left out" if parameter.default is None else f"default {parameter.default}"
    )
