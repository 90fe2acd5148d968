"""What the dimensions of a Zarr array mean: rows, columns, channels, and those of which one index is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mpi_stage.errors import DamagedInputError, MissingPageError, UnsupportedFormatError

STACKED = ("t", "z")
_KNOWN = {
    "y": "y",
    "x": "x",
    "c": "c",
    "z": "z",
    "t": "t",
    "row": "y",
    "rows": "y",
    "column": "x",
    "columns": "x",
    "lat": "y",
    "latitude": "y",
    "lon": "x",
    "longitude": "x",
    "channel": "c",
    "channels": "c",
    "band": "c",
    "bands": "c",
    "time": "t",
}
_FLAT, _CUBE = 2, 3
_MOST_INTERLEAVED = 4


@dataclass(frozen=True)
class Axes:
    """The dimensions by their place in the array; ``fixed`` has the index of each that is not read whole."""

    y: int
    x: int
    c: int | None
    fixed: Mapping[int, int]


def find_axes(
    names: Sequence[str | None], shape: Sequence[int], indices: Mapping[str, int], where: str
) -> Axes:
    """Return the axes of an array with dimension ``names``.

    ``indices`` picks along ``t`` and ``z``, and one of the channels where ``c`` is among them. Without
    names two dimensions are rows and columns; of three the last are the channels if there are up to four,
    else the first if they are fewer than rows and columns. Raises UnsupportedFormatError where that says
    nothing, MissingPageError for an index outside.
    """
    if all(name is None for name in names):
        names = _guess(shape, where)
    meant = [_KNOWN.get((name or "").lower()) for name in names]
    if None in meant or len(set(meant)) < len(meant) or not {"y", "x"} <= set(meant):
        shown = ", ".join(str(name)[:20] for name in names)
        raise UnsupportedFormatError(
            f"{where} has the dimensions {shown}; y and x are needed and c, z and t are known, each once. "
            "Name its dimensions so."
        )
    fixed = {}
    for place, name in enumerate(meant):
        if name in STACKED or (name == "c" and "c" in indices):
            fixed[place] = _index(str(name), shape[place], indices, where)
    unused = sorted(set(indices) - {str(name) for name in meant})
    if any(indices[name] for name in unused):
        raise MissingPageError(f"{where} has no dimension {' or '.join(unused)} to choose an index of.")
    channels = meant.index("c") if "c" in meant else None
    return Axes(meant.index("y"), meant.index("x"), None if channels in fixed else channels, fixed)


def _guess(shape: Sequence[int], where: str) -> Sequence[str]:
    if len(shape) == _FLAT:
        return ("y", "x")
    if len(shape) == _CUBE and shape[2] <= _MOST_INTERLEAVED:
        return ("y", "x", "c")
    if len(shape) == _CUBE and shape[0] < min(shape[1:]):
        return ("c", "y", "x")
    if len(shape) == _CUBE and shape[2] < min(shape[:2]):
        return ("y", "x", "c")
    raise UnsupportedFormatError(
        f"{where} has the shape {tuple(shape)} and no dimension names, so which are rows, columns and "
        "channels is not known. Write it anew with dimension_names of y, x, c, z and t."
    )


def _index(name: str, length: int, indices: Mapping[str, int], where: str) -> int:
    index = indices.get(name, 0)
    if not 0 <= index < length:
        raise MissingPageError(f"{where} has {length} along {name}, counted from 0; {index} was asked for.")
    return index


def check_ome_axes(axes: object, where: str) -> tuple[list[str], list[str | None]]:
    """Return names and units of the axes of an OME-Zarr image. Raises DamagedInputError."""
    if isinstance(axes, list) and all(isinstance(axis, dict) for axis in axes):
        names, units = [axis.get("name") for axis in axes], [axis.get("unit") for axis in axes]
        if all(isinstance(name, str) for name in names):
            return names, [unit if isinstance(unit, str) else None for unit in units]
    raise DamagedInputError(f"{where} should list its axes by name, and says {str(axes)[:80]}.")
