"""Whether what came as JSON has the types that are declared for it."""

from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def misfits(kind: type, values: dict[str, Any]) -> list[str]:
    """Return what is wrong with the values of fields of a dataclass, a sentence each."""
    declared = declared_types(kind)
    return [
        f"{name} is {value!r:.60}, which is no {declared[name]}"
        for name, value in values.items()
        if not fits(value, declared[name])
    ]


@cache
def declared_types(kind: type) -> dict[str, Any]:
    """Return the types of a class's fields by name."""
    return get_type_hints(kind)


def fits(value: Any, kind: Any) -> bool:  # noqa: ANN401, PLR0911  (any JSON; one kind of type after another)
    """Whether a value is of a type: a class, a union, a list or an object with values of a type."""
    if kind is Any:
        return True
    if isinstance(kind, UnionType):
        return any(fits(value, one) for one in get_args(kind))
    origin = get_origin(kind)
    if origin is list:
        return isinstance(value, list) and all(fits(one, get_args(kind)[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(one, get_args(kind)[1]) for one in value.values())
    if kind in {int, float} and isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int | float)
    return value is None if kind is NoneType else isinstance(value, kind)
