"""What Google's discovery document of Compute Engine says of a message, held against a message."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from googleapiclient import discovery_cache

_DOCUMENT = Path(discovery_cache.__file__).parent / "documents" / "compute.v1.json"
_SCALARS = {"string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float)}


@cache
def schemas() -> dict[str, Any]:
    """Return the schemas of all messages."""
    found: dict[str, Any] = json.loads(_DOCUMENT.read_text())["schemas"]
    return found


def instance_faults(instance: object) -> list[str]:
    """Return what Compute Engine would not take in a request for a machine."""
    return list(_faults(instance, {"$ref": "Instance"}, "node_config"))


def _faults(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yield every place where a value is not what a schema says, at any depth."""
    if "$ref" in schema:
        yield from _faults(value, schemas()[schema["$ref"]], path)
    elif schema["type"] == "array":
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no list"
            return
        for index, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{path}[{index}]")
    elif schema["type"] == "object":
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
            return
        for key, item in value.items():
            known = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            if known is None:
                yield f"{path}.{key}: there is no such field"
            else:
                yield from _faults(item, known, f"{path}.{key}")
    else:
        yield from _scalar_faults(value, schema, path)


def _scalar_faults(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yield what is wrong with a value that is neither an object nor a list."""
    kinds: tuple[type, ...] = _SCALARS[schema["type"]]
    if schema.get("format") in {"int64", "uint64"}:
        kinds = (str, int)  # JSON cannot hold them as numbers, the client library turns them
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {', '.join(schema['enum'])}"
