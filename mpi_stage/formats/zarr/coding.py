"""How an output Zarr's chunks may be compressed, and how people ask for it."""

from dataclasses import dataclass

from mpi_stage.errors import ParameterError

LEVELS = {"none": None, "zstd": (1, 22, 1), "gzip": (1, 9, 6), "blosc": (1, 9, 5)}
"""The compressions, with the lowest, the highest and the usual level of those that have levels.

On pictures level 1 of zstd takes a third of the time of level 3, for 3 % more bytes.
"""

COMPRESSIONS = tuple(LEVELS)


@dataclass(frozen=True)
class ZarrCoding:
    """A compression and its level, 0 where it has none."""

    name: str
    level: int = 0


def parse_zarr_coding(asked: str) -> ZarrCoding:
    """Read ``name`` or ``name:level``; raises ParameterError where Zarr is not written so."""
    name, colon, number = asked.partition(":")
    if name not in LEVELS:
        raise ParameterError(
            f"Zarr is written with compression {', '.join(COMPRESSIONS)}; {asked!r} was asked for."
        )
    levels = LEVELS[name]
    if levels is None and colon:
        raise ParameterError(f"{name} takes no number; {asked!r} was asked for. Write {name}.")
    if levels is None or not colon:
        return ZarrCoding(name, levels[-1] if levels else 0)
    least, most, _ = levels
    if not number.isdecimal() or not least <= int(number) <= most:
        raise ParameterError(
            f"{name} takes a level from {least} to {most} after the colon; {asked!r} was asked for."
        )
    return ZarrCoding(name, int(number))
