"""How an output TIFF's segments may be compressed, and how people ask for it."""

from dataclasses import dataclass

from mpi_stage.errors import ParameterError

COMPRESSIONS = ("none", "deflate", "lzw", "zstd", "jpeg", "lerc", "lerc-deflate", "lerc-zstd")
LERC_VERSION = 4
LERC_INNER = {"lerc": 0, "lerc-deflate": 1, "lerc-zstd": 2}
"""The second of LercParameters' values: what the LERC stream is compressed with."""

_LEVELS = {"deflate": (1, 12, 6), "zstd": (1, 22, 3)}


@dataclass(frozen=True)
class Coding:
    """A compression and its number: the level of deflate and zstd, the greatest error of LERC."""

    name: str
    number: float = 0.0


def parse_coding(asked: str) -> Coding:
    """Read ``name`` or ``name:number``; raises ParameterError where TIFF is not written so."""
    name, colon, number = asked.partition(":")
    if name not in COMPRESSIONS:
        raise ParameterError(
            f"TIFF is written with compression {', '.join(COMPRESSIONS)}; {asked!r} was asked for."
        )
    least, most, usual = _LEVELS.get(name, (0, float("inf"), 0))
    if not colon:
        return Coding(name, usual)
    if name not in (*_LEVELS, *LERC_INNER):
        raise ParameterError(f"{name} takes no number; {asked!r} was asked for. Write {name}.")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    fits = least <= value <= most and value != float("inf") and (name in LERC_INNER or value == round(value))
    if not fits:
        wanted = f"a level from {least} to {most}" if name in _LEVELS else "the greatest error, 0 or more"
        raise ParameterError(f"{name} takes {wanted} after the colon; {asked!r} was asked for.")
    return Coding(name, value)
