"""Messages of the contract: dataclasses that come as JSON objects, and go as such."""

from dataclasses import fields
from typing import Any, Self

from mpi_stage.errors import StageError
from mpi_stage.shapes import misfits

CONTRACT_VERSION = 3


class Message:
    """Root of the contract's dataclasses: built from JSON objects, of which nothing is ignored."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build the message; raises StageError on missing or unknown fields, and on those of a wrong type."""
        check_object(cls.__name__, data)
        names = {f.name for f in fields(cls)}  # type: ignore[arg-type]  # the subclasses are dataclasses
        unknown = sorted(set(data) - names)
        if unknown:
            raise StageError(f"{cls.__name__} has no field {', '.join(unknown)}; known are {sorted(names)}")
        wrong = misfits(cls, data)
        if wrong:
            raise StageError(f"{cls.__name__}: {'; '.join(wrong)}")
        try:
            return cls(**data)
        except TypeError as error:
            raise StageError(f"{cls.__name__} is incomplete: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Return the message as a JSON object, which shares its lists and objects with the message."""
        return {name: _plain(value) for name, value in vars(self).items()}


def check_object(name: str, data: Any) -> None:  # noqa: ANN401  (any JSON)
    """Raise StageError where what should be a message called ``name`` is no JSON object."""
    if not isinstance(data, dict):
        raise StageError(f"{name} should be a JSON object, and is {data!r:.60}")


def _plain(value: Any) -> Any:  # noqa: ANN401  (whatever a field holds)
    """Return a field's value as JSON has it."""
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, list) and any(isinstance(one, Message) for one in value):
        return [_plain(one) for one in value]
    return value
