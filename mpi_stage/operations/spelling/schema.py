"""The JSON Schema of a pipeline, made from the declarations."""

from collections.abc import Callable, Mapping

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter
from mpi_stage.operations.declaring.parameters import BORDER_ALIASES, MAX_NUMBERS, parameters_of
from mpi_stage.operations.spelling.grammar import MAX_STEPS
from mpi_stage.operations.spelling.presets import PRESETS

Schema = dict[str, object]


def pipeline_schema() -> Schema:
    """Return the schema (draft 2020-12) of a pipeline in its JSON spelling: a list of steps."""
    definitions = {operation.name: step_schema(operation) for operation in OPERATIONS}
    definitions["preset"] = _preset_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "halorow pipeline",
        "description": "The steps of a pipeline, in order.",
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_STEPS,
        "items": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in definitions]},
        "$defs": definitions,
    }


def _preset_schema() -> Schema:
    """Return the schema of a preset, which stands for its steps."""
    names = "; ".join(f"{preset.name}: {preset.text}" for preset in PRESETS)
    return {
        "title": "Preset",
        "description": "A pipeline with a name; it stands for its steps.",
        "type": "object",
        "properties": {"preset": {"description": names, "enum": [preset.name for preset in PRESETS]}},
        "required": ["preset"],
        "additionalProperties": False,
    }


def step_schema(operation: Operation) -> Schema:
    """Return the schema of one step of ``operation``."""
    parameters = parameters_of(operation)
    names: Schema = {"enum": [operation.name, *operation.aliases]}
    return {
        "title": operation.label,
        "description": operation.help,
        "type": "object",
        "properties": {"op": names, **{parameter.name: _property(parameter) for parameter in parameters}},
        "required": ["op", *(parameter.name for parameter in parameters if parameter.required)],
        "additionalProperties": False,
    }


def _property(parameter: Parameter) -> Schema:
    described: Schema = {"description": _description(parameter)}
    if parameter.default is not None:
        default = parameter.default
        described["default"] = list(default) if isinstance(default, tuple) else default
    kind = _KINDS[parameter.kind](parameter)
    if parameter.required:
        return described | kind
    # null says the same as leaving the parameter out.
    return described | {"anyOf": [kind, {"type": "null"}]}


def _description(parameter: Parameter) -> str:
    return f"{parameter.help} Unit: {parameter.unit}." if parameter.unit else parameter.help


def _bounds(parameter: Parameter) -> Schema:
    bounds: Schema = {}
    if parameter.minimum is not None:
        bounds["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        bounds["maximum"] = parameter.maximum
    return bounds


def _integer(parameter: Parameter) -> Schema:
    odd: Schema = {"not": {"multipleOf": 2}} if parameter.odd else {}
    return {"type": "integer", **_bounds(parameter), **odd}


def _number(parameter: Parameter) -> Schema:
    return {"type": "number", **_bounds(parameter)}


def _choice(parameter: Parameter) -> Schema:
    aliases = BORDER_ALIASES if parameter.name == "border" else ()
    numbers = [int(choice) for choice in parameter.choices if choice.isdecimal()]
    return {"enum": [*parameter.choices, *numbers, *aliases]}


def _boolean(_parameter: Parameter) -> Schema:
    return {"type": "boolean"}


def _numbers(parameter: Parameter) -> Schema:
    items = _integer(parameter) if parameter.whole else _number(parameter)
    if not parameter.counts:
        return {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_NUMBERS}
    sizes = [{"minItems": count, "maxItems": count} for count in parameter.counts]
    return {"type": "array", "items": items, "oneOf": sizes}


_KINDS: Mapping[Kind, Callable[[Parameter], Schema]] = {
    Kind.INT: _integer,
    Kind.FLOAT: _number,
    Kind.CHOICE: _choice,
    Kind.BOOL: _boolean,
    Kind.NUMBERS: _numbers,
}
