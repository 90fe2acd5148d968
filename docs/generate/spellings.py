"""A pipeline in its three spellings, as people would write it."""

import json
from collections.abc import Sequence

from mpi_stage.operations.spelling.grammar import Step, to_json, to_text


def text(steps: Sequence[Step]) -> str:
    """Return the spelling of the command line."""
    return to_text(steps)


def as_json(steps: Sequence[Step]) -> str:
    """Return the spelling of requests and files."""
    return json.dumps([_short(entry) for entry in to_json(steps)])


def python(steps: Sequence[Step]) -> str:
    """Return the spelling of ``pipeline.ops``."""
    return f"[{', '.join(_call(_short(entry)) for entry in to_json(steps))}]"


def _call(entry: dict[str, object]) -> str:
    stated = ", ".join(f"{key}={value!r}" for key, value in entry.items() if key != "op")
    return f"ops.{entry['op']}({stated.replace(chr(39), chr(34))})"


def _short(entry: dict[str, object]) -> dict[str, object]:
    return {key: _whole(value) for key, value in entry.items()}


def _whole(value: object) -> object:
    """Return 2 for 2.0, in lists too."""
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
