"""The spellings of a pipeline: text, JSON and Python; all make the same steps.

::

    gaussian:sigma=2 grayscale canny:low=50,high=150
    [{"op": "gaussian", "sigma": 2}, {"op": "grayscale"}, {"op": "canny", "low": 50, "high": 150}]
    [ops.gaussian(sigma=2), ops.grayscale(), ops.canny(low=50, high=150)]

A preset stands for its steps: ``@edges`` in text, ``{"preset": "edges"}`` in JSON.

All that is wrong with a pipeline is reported at once, step by step.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from mpi_stage.errors import ParameterError, PipelineError
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Value
from mpi_stage.operations.declaring.parameters import border_parameter, checked, from_text, parameters_of
from mpi_stage.operations.index import find_public
from mpi_stage.operations.spelling.presets import expand_words, find_preset
from mpi_stage.operations.spelling.steps import SeveralErrors, Step, build
from mpi_stage.operations.spelling.suggestions import shown

__all__ = [
    "MAX_STEPS",
    "MAX_TEXT_CHARACTERS",
    "Step",
    "make_step",
    "parameters_of",
    "parse",
    "parse_json",
    "parse_text",
    "to_json",
    "to_text",
]

MAX_STEPS = 100
MAX_TEXT_CHARACTERS = 100_000

_Draft = TypeVar("_Draft")


def parse(pipeline: str | Sequence[object], default_border: str | None = None) -> list[Step]:
    """Read a pipeline in any spelling.

    Parameters
    ----------
    pipeline: text, a list of words of text, JSON text (it begins with ``[``), the list that JSON holds,
        or a list of steps.
    default_border: for the steps that take a border and state none.

    Raises
    ------
    UnknownOperationError, ParameterError, PipelineError: what is wrong, all of it.

    """
    if isinstance(pipeline, str):
        return _parse_string(pipeline, default_border)
    if all(isinstance(word, str) for word in pipeline):
        return _parse_string(_joined(str(word) for word in pipeline), default_border)
    return parse_json([_entry(one) for one in pipeline], default_border)


def _entry(given: object) -> object:
    """Return a step as JSON holds it; anything else as it is."""
    return to_json([given])[0] if isinstance(given, Step) else given


def _parse_string(text: str, default_border: str | None) -> list[Step]:
    _check_length(text)
    if text.lstrip().startswith("["):
        return parse_json(_loaded(text), default_border)
    return parse_text(text, default_border)


def parse_text(text: str | Sequence[str], default_border: str | None = None) -> list[Step]:
    """Read ``name:key=value,key=value`` steps, separated by spaces or given as a list of words.

    Raises
    ------
    UnknownOperationError, ParameterError, PipelineError: what is wrong, all of it.

    """
    joined = text if isinstance(text, str) else _joined(text)
    _check_length(joined)
    border = _checked_border(default_border)
    return _all(expand_words(joined.split()), lambda word: _step_of_word(word, border), _label_of_word)


def parse_json(steps: object, default_border: str | None = None) -> list[Step]:
    """Read a list of objects, each with ``op`` and the parameters of that operation.

    Raises
    ------
    UnknownOperationError, ParameterError, PipelineError: what is wrong, all of it.

    """
    if not isinstance(steps, list | tuple):
        message = f'a pipeline is a list of steps like {{"op": "gaussian", "sigma": 2}}, got {shown(steps)}'
        raise PipelineError(message)
    border = _checked_border(default_border)
    return _all(_expand_entries(steps), lambda entry: _step_of_entry(entry, border), _label_of_entry)


def _expand_entries(entries: Iterable[object]) -> list[object]:
    """Return the entries of a JSON pipeline with the steps of its presets in their places."""
    expanded: list[object] = []
    for entry in entries:
        if isinstance(entry, Mapping) and "preset" in entry:
            if len(entry) > 1:
                raise PipelineError('a preset stands alone, like {"preset": "edges"}')
            expanded += to_json(parse_text(find_preset(str(entry["preset"])).text))
        else:
            expanded.append(entry)
    return expanded


def make_step(name: str, given: Mapping[str, object], default_border: str | None = None) -> Step:
    """Return one step from an operation's name and some of its parameters, as JSON would hold them.

    Raises
    ------
    UnknownOperationError, ParameterError: what is wrong, all of it.

    """
    return parse_json([{"op": name, **given}], default_border)[0]


def to_text(steps: Iterable[Step]) -> str:
    """Write steps as text, with every parameter that is not None; ``parse_text`` reads them back."""
    return " ".join(_word(step) for step in steps)


def to_json(steps: Iterable[Step]) -> list[dict[str, object]]:
    """Write steps as JSON holds them, with every parameter that is not None, in declared order."""
    return [{"op": step.operation.name, **{k: _plain(v) for k, v in _stated(step)}} for step in steps]


def _stated(step: Step) -> Iterable[tuple[str, Value]]:
    return ((key, value) for key, value in step.params.items() if value is not None)


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _word(step: Step) -> str:
    pairs = ",".join(f"{key}={_spelled(value)}" for key, value in _stated(step))
    return f"{step.operation.name}:{pairs}" if pairs else step.operation.name


def _spelled(value: Value) -> str:
    if isinstance(value, tuple):
        return ",".join(_spelled(number) for number in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return repr(value).removesuffix(".0")
    return str(value)


def _joined(words: Iterable[str]) -> str:
    return " ".join(words)


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        message = f"a pipeline may have {MAX_TEXT_CHARACTERS} characters, this one has {len(text)}"
        raise PipelineError(f"{message}; split the work into several jobs")


def _loaded(text: str) -> object:
    """Read JSON text; its numbers are finite."""
    try:
        loaded: object = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PipelineError(f"the pipeline begins like JSON and is none: {error}") from error
    return loaded


def _no_constant(name: str) -> None:
    message = f"{name} is no number here"
    raise ValueError(message)


def _checked_border(border: str | None) -> str | None:
    """Check the border for all steps once, before it would be reported for each."""
    return None if border is None else str(checked(border_parameter(Border.MIRROR), border))


def _all(
    drafts: Sequence[_Draft], read: Callable[[_Draft], Step], label: Callable[[_Draft], str]
) -> list[Step]:
    """Read every draft of a step; report all that is wrong with them as one error."""
    if not drafts:
        raise PipelineError("the pipeline has no steps; name at least one operation, e.g. gaussian:sigma=2")
    if len(drafts) > MAX_STEPS:
        message = f"a pipeline may have {MAX_STEPS} steps, this one has {len(drafts)}"
        raise PipelineError(f"{message}; split the work into several jobs")
    steps: list[Step] = []
    errors: list[PipelineError] = []
    for number, draft in enumerate(drafts, start=1):
        try:
            steps.append(read(draft))
        except SeveralErrors as several:
            errors += [_located(error, number, label(draft)) for error in several.errors]
        except PipelineError as error:
            errors.append(_located(error, number, label(draft)))
    if errors:
        raise _joined_error(errors)
    return steps


def _located(error: PipelineError, number: int, name: str) -> PipelineError:
    return type(error)(f"step {number} ({name}): {error}")


def _joined_error(errors: Sequence[PipelineError]) -> PipelineError:
    """Return one error of the first one's class with every message in it."""
    return type(errors[0])("\n".join(str(error) for error in errors))


def _label_of_word(word: str) -> str:
    return shown(word.partition(":")[0]).strip("'\"")


def _label_of_entry(entry: object) -> str:
    return shown(entry.get("op")).strip("'\"") if isinstance(entry, Mapping) else "no name"


def _step_of_entry(entry: object, default_border: str | None) -> Step:
    if not isinstance(entry, Mapping):
        raise PipelineError(f'a step is an object like {{"op": "gaussian", "sigma": 2}}, got {shown(entry)}')
    name = entry.get("op")
    if not isinstance(name, str):
        raise PipelineError('a step needs "op", the name of an operation')
    given = {str(key): value for key, value in entry.items() if key != "op" and value is not None}
    return build(find_public(name), given, checked, default_border)


def _step_of_word(word: str, default_border: str | None) -> Step:
    name, colon, rest = word.partition(":")
    operation = find_public(name)
    if colon and not rest:
        raise ParameterError("nothing follows the colon; write name:key=value,key=value")
    return build(operation, _pairs(operation, rest), _read_text, default_border)


def _read_text(parameter: Parameter, text: object) -> Value:
    return checked(parameter, from_text(parameter, str(text)))


def _pairs(operation: Operation, rest: str) -> dict[str, str]:
    """Split ``key=value,key=value``; the commas of a list of numbers belong to its value."""
    lists = {parameter.name for parameter in operation.parameters if parameter.kind is Kind.NUMBERS}
    pairs: dict[str, str] = {}
    key = ""
    for part in rest.split(",") if rest else ():
        before, equals, value = part.partition("=")
        if equals:
            key = before
            if key in pairs:
                raise ParameterError(f"{shown(key)} is given twice")
            pairs[key] = value
        elif key in lists:
            pairs[key] += f",{part}"
        else:
            raise ParameterError(f"expected key=value, got {shown(part)}; write name:key=value,key=value")
    return pairs
