"""``<data_dir>/connection.toml``: how to reach the embedded service that runs there."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.settings.private_files import write_private

FILE_NAME = "connection.toml"


def connection_path(data_dir: Path) -> Path:
    """Return where the connection file of a data directory is."""
    return data_dir / FILE_NAME


def write_values(data_dir: Path, values: Mapping[str, str | int]) -> Path:
    """Write settings as a connection file, readable by its owner alone, and return its path."""
    path = connection_path(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    lines = [toml_line(name, value) for name, value in values.items()]
    write_private(path, "# Written by halorow up, removed when it ends.\n" + "".join(lines))
    return path


def toml_line(name: str, value: str | int) -> str:
    """Return a line of a TOML file."""
    # A JSON string or integer is a TOML one.
    return f"{name} = {json.dumps(value, ensure_ascii=False)}\n"


def read_connection(data_dir: Path) -> dict[str, str | int]:
    """Return the settings of the service that runs in a data directory; none if none does.

    Raises SettingsError if the file cannot be read.
    """
    path = connection_path(data_dir.expanduser())
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"the connection file {path} cannot be read: {error}; if no service runs there, remove it"
        ) from error


def remove_connection(data_dir: Path) -> None:
    """Remove the connection file; no error if there is none."""
    connection_path(data_dir).unlink(missing_ok=True)
