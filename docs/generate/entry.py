"""The part of a page that is about one operation."""

from docs.generate import facts, spellings
from docs.generate.examples import example_of, short_steps
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Pattern

_PATTERNS = {
    Pattern.POINT: "point: each pixel by itself",
    Pattern.STENCIL: "stencil: each pixel with its neighbours; ranks swap halo rows",
    Pattern.REDUCE: "reduce: measures the whole picture, then treats each pixel by itself",
    Pattern.GLOBAL: "global: ranks work on the whole picture together",
}

_KINDS = {
    Kind.INT: "integer",
    Kind.FLOAT: "number",
    Kind.CHOICE: "word",
    Kind.BOOL: "true or false",
    Kind.NUMBERS: "list of numbers",
}


def entry(operation: Operation) -> str:
    """Return everything declared of an operation, its example and its picture, as Markdown."""
    parts = [f"## {operation.name}", _head(operation), _image(operation), _facts(operation)]
    if operation.parameters:
        parts.append(_parameters(operation))
    return "\n\n".join([*parts, _example(operation)])


def kind_of(parameter: Parameter) -> str:
    """Say of what kind a parameter's values are."""
    kind = "list of integers" if parameter.whole else _KINDS[parameter.kind]
    return f"odd {kind}" if parameter.odd else kind


def bounds_of(parameter: Parameter) -> str:
    """Say which values a parameter takes, with their unit."""
    if parameter.choices:
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    bounds = "any"
    if low is not None and high is not None:
        bounds = f"{_number(low)} to {_number(high)}"
    elif low is not None:
        bounds = f"at least {_number(low)}"
    elif high is not None:
        bounds = f"at most {_number(high)}"
    if parameter.kind is Kind.BOOL:
        bounds = "`true`, `false`"
    if parameter.counts:
        counts = " or ".join(str(count) for count in parameter.counts)
        bounds = f"{counts} of them" if bounds == "any" else f"{bounds}, {counts} of them"
    return f"{bounds} {parameter.unit}".strip() if bounds != "any" else parameter.unit or bounds


def default_of(parameter: Parameter) -> str:
    """Say what a parameter is when it is left out."""
    if parameter.required:
        return "must be given"
    if parameter.default is None:
        return "derived"
    if isinstance(parameter.default, bool):
        return f"`{str(parameter.default).lower()}`"
    if isinstance(parameter.default, int | float):
        return f"`{parameter.default:g}`"
    return f"`{parameter.default}`"


def rounded_cost(operation: Operation) -> str:
    """Return the cost with two significant digits."""
    cost = facts.cost_ns(operation)
    return _number(float(f"{cost:.2g}")) if cost >= 0.1 else "below 0.1"  # noqa: PLR2004  (what rounds to 0)


def _head(operation: Operation) -> str:
    return f"**{operation.label}.** {operation.help}"


def _image(operation: Operation) -> str:
    example = example_of(operation)
    note = f"; {example.note}" if example.note else ""
    return (
        f"![{operation.name}: before and after](images/{operation.name}.jpg)\n\n"
        f"*Before, and after `{spellings.text(short_steps(operation))}`{note}.*"
    )


def _facts(operation: Operation) -> str:
    rows = {
        "pattern": _PATTERNS[operation.pattern],
        "takes": _takes(operation),
        "gives": _gives(operation),
        "border": _border(operation),
        "cost": f"{rounded_cost(operation)} ns per pixel",
        "judged by": operation.reference,
        "also called": ", ".join(f"`{alias}`" for alias in operation.aliases),
    }
    lines = [f"| {name} | {cell(value)} |" for name, value in rows.items() if value]
    return "\n".join(["| | |", "|---|---|", *lines])


def _takes(operation: Operation) -> str:
    types = ", ".join(f"`{dtype}`" for dtype in operation.types)
    gray = "; colour is turned to gray first" if operation.gray_inside else ""
    return f"{types}; {operation.channels.value}{gray}"


def _gives(operation: Operation) -> str:
    """Say what comes out, as far as it is not what goes in."""
    if operation.remap is not None:
        return "pixels in other places; the size may change"
    pairs = facts.results(operation)
    channels, types = {after.channels for _, after in pairs}, {after.dtype for _, after in pairs}
    changes = []
    if len(channels) == 1 and any(after.channels != before.channels for before, after in pairs):
        changes.append("1 channel" if channels == {1} else f"{channels.pop()} channels")
    if types != {before.dtype for before, _ in pairs}:
        changes.append(f"`{', '.join(types)}`")
    if not changes and facts.states_output(operation):
        return "the same size; channels and type depend on the parameters"
    return ", ".join(changes) or "the same size, channels and type"


def _border(operation: Operation) -> str:
    if operation.border is None:
        return ""
    return (
        f"`border` (here `{operation.border.value}` if left out) and `fill`: see [borders](README.md#borders)"
    )


def _parameters(operation: Operation) -> str:
    head = ["| parameter | kind | values | default | meaning |", "|---|---|---|---|---|"]
    rows = [
        f"| `{one.name}` | {kind_of(one)} | {bounds_of(one)} | {default_of(one)} | {cell(one.help)} |"
        for one in operation.parameters
    ]
    return "\n".join(head + rows)


def _example(operation: Operation) -> str:
    steps = short_steps(operation)
    return (
        f"```\n{spellings.text(steps)}\n```\n\n"
        f"```json\n{spellings.as_json(steps)}\n```\n\n"
        f"```python\n{spellings.python(steps)}\n```"
    )


def cell(text: str) -> str:
    """Return text as it can stand in a cell of a table."""
    return text.replace("|", "\\|")


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"
