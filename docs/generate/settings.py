"""The page on the settings, made from their declaration."""

from typing import Any, Literal, get_args, get_origin

from pydantic import ByteSize, SecretStr
from pydantic.fields import FieldInfo

from pipeline.config import Settings

_HEAD = """# Settings

Made by `make docs` from the declaration of the settings; do not edit.

Each can be a line of `halorow.toml` in the working directory (or of the file that `HALOROW_CONFIG` names), or
a variable of the environment, `HALOROW_` and its name in capitals, which counts before the file; options of
commands count before both. All that is wrong is told of at once, before anything starts. Names that end in
`_s` are seconds; in `_bytes` they are bytes, where `512MiB` is understood too.
"""

_TABLE = "\n| setting | by default | |\n|---|---|---|\n"

_TAIL = """
Other variables of the environment:

| variable | |
|---|---|
| `HALOROW_CONFIG` | the file with the settings |
| `HALOROW_DEBUG` | with `1` an unexpected error shows where it comes from |
| `HALOROW_NATIVE` | with `0` library calls do the work of the compiled kernels, with the same bytes |
| `OTEL_EXPORTER_OTLP_ENDPOINT` | where spans go, if OpenTelemetry's SDK and OTLP exporter are installed |
"""

_CORES = "this machine's cores"


def page() -> str:
    """Return the page."""
    left = dict(Settings.model_fields)
    parts = []
    for group in Settings.__bases__:
        names = [name for name in left if name in group.__annotations__]
        title = str(group.__doc__).partition(".")[0].partition(";")[0]
        parts += [f"\n## {title}\n", _TABLE, *(_row(name, left.pop(name)) for name in names)]
    rest = "".join(_row(name, field) for name, field in left.items())
    return f"{_HEAD}{''.join(parts)}\n## The rest\n{_TABLE}{rest}{_TAIL}"


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{name}` | {_default(field)} | {_meaning(field)} |\n"


def _default(field: FieldInfo) -> str:
    """Return what holds where nothing is set, spelled as it would be set; the same text on every machine."""
    if field.default_factory is not None:
        return _CORES  # all that is asked of the machine
    value: Any = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, ByteSize) and value:
        value = value.human_readable().replace(".0", "")
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in {None, ""} else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    words = str(field.description)
    if get_origin(field.annotation) is Literal:
        words += f" ({', '.join(f'`{one}`' for one in get_args(field.annotation))})"
    return words
