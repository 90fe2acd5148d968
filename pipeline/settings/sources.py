"""Where settings are read from, and what is said of those that are wrong."""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from pipeline.errors import SettingsError

ENVIRONMENT_PREFIX = "HALOROW_"
CONFIG_FILE = "halorow.toml"

Places = Sequence[tuple[str, Mapping[str, Any]]]


def last_of(places: Places, name: str) -> Any:  # noqa: ANN401  (whatever somebody wrote there)
    """Return what a setting has in the last of the places that has it, else None."""
    return next((values[name] for _, values in reversed(places) if name in values), None)


def read_file() -> tuple[Path, dict[str, Any]]:
    """Return the settings file and what is in it. Raises SettingsError."""
    named = os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    path = Path(named or CONFIG_FILE)
    if not named and not path.exists():
        return path, {}
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error}") from error


def from_environment(fields: Iterable[str]) -> dict[str, str]:
    """Return the settings of the environment."""
    names = {name: f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in fields}
    return {name: os.environ[variable] for name, variable in names.items() if variable in os.environ}


def faults(
    error: ValidationError, places: Places, merged: Mapping[str, Any], fields: Mapping[str, FieldInfo]
) -> str:
    """Describe every fault on a line of its own: name, place, what was expected, what was found."""
    lines = ["the settings are wrong:"]
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0])
        place = next((place for place, values in reversed(places) if name in values), "default")
        field = fields.get(name)
        if field is None:
            lines.append(f"  {name} ({place}): there is no such setting")
            continue
        secret = field.annotation is SecretStr
        got = "(hidden)" if secret else repr(merged.get(name, field.get_default(call_default_factory=True)))
        expected = fault["msg"][:1].lower() + fault["msg"][1:]
        lines.append(f"  {name} ({place}): {field.description}; {expected}, got {got}")
    return "\n".join(lines)
