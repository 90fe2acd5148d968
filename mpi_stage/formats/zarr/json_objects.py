"""Reading Zarr metadata documents: JSON of bounded size, each part checked for its kind."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mpi_stage.errors import DamagedInputError, LimitError, UnsupportedFormatError
from mpi_stage.formats.zarr.tree import MAX_DOCUMENT_BYTES, Tree

DOCUMENT = "zarr.json"
Json = Mapping[str, Any]


def read_document(tree: Tree, path: str) -> Json:
    """Return the metadata of the node at ``path`` ("" for the root).

    Raises DamagedInputError where there are none or they are no JSON object, UnsupportedFormatError
    for another version than Zarr 3, LimitError where they are too large.
    """
    key = f"{path}/{DOCUMENT}" if path else DOCUMENT
    where = f"{tree.root}/{key}"
    size = tree.size(key)
    if size is None:
        raise DamagedInputError(f"{where} is missing. Get a complete copy.")
    if size > MAX_DOCUMENT_BYTES:
        raise LimitError(f"{where} has {size} bytes; up to {MAX_DOCUMENT_BYTES} are read.")
    try:
        found = json.loads(tree.read(key, 0, size))
    except (ValueError, RecursionError) as error:
        raise DamagedInputError(f"{where} is no JSON: {error}. Get a fresh copy.") from error
    if not isinstance(found, dict):
        raise DamagedInputError(f"{where} is no JSON object. Get a fresh copy.")
    if found.get("zarr_format") != 3:  # noqa: PLR2004 (the version that is read)
        raise UnsupportedFormatError(f"{where} is of Zarr {found.get('zarr_format')!r}; Zarr 3 is read.")
    return found


def named(value: Any, where: str) -> tuple[str, Json]:  # noqa: ANN401 (any JSON)
    """Return name and configuration of an extension point. Raises DamagedInputError."""
    if isinstance(value, str):
        return value, {}
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        configuration = value.get("configuration", {})
        if isinstance(configuration, dict):
            return value["name"], configuration
    raise DamagedInputError(f"{where}: {str(value)[:80]!r} should have a name and a configuration.")


def sizes(value: Any, where: str, *, least: int, most: int) -> tuple[int, ...]:  # noqa: ANN401 (any JSON)
    """Return a list of whole numbers within bounds. Raises DamagedInputError."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        whole = [isinstance(one, int) and not isinstance(one, bool) and least <= one <= most for one in value]
        if value and all(whole):
            return tuple(value)
    raise DamagedInputError(
        f"{where} should be a list of whole numbers from {least} to {most}, and is {str(value)[:80]}."
    )
