"""The most that a global step makes a rank send and receive, for the plan."""

from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Moved, Params

_NAME_BYTES = 8
_PAIR_BYTES = 16
_TELLINGS = 2
"""Components that reach a seam are told of twice: which are one, and which number they get."""

_SLABS_FETCHED = 2.25
"""What the tiles of a turned picture are made of, over what they hold, with the rim that each needs."""


def seams(_params: Params, spec: ImageSpec, _rows: int, ranks: int) -> Moved:
    """Return what joining components over the seams takes: everyone gets the outer rows of all slabs."""
    outer = 2 * spec.columns * _NAME_BYTES
    return Moved(outer, (ranks - 1) * outer, ranks - 1)


def numbers(_params: Params, spec: ImageSpec, _rows: int, ranks: int) -> Moved:
    """Return what numbering components takes: a row goes down, and everyone gets all joined names."""
    row = spec.columns * _NAME_BYTES
    told = _TELLINGS * spec.columns * _PAIR_BYTES
    return Moved(row + told, row + (ranks - 1) * told, 2 + _TELLINGS * (ranks - 1))


def halo(spec: ImageSpec, rows: int) -> Moved:
    """Return what a swap of ``rows`` halo rows with the neighbours takes."""
    moved = 2 * rows * spec.row_bytes
    return Moved(moved, moved, 4)


def moving(before: ImageSpec, after: ImageSpec, rows: int, after_rows: int, ranks: int) -> Moved:
    """Return what a change of geometry takes of a rank with ``rows`` rows before and ``after_rows`` after.

    Each of its own pixels goes to another rank at most about twice, and as many come for the result.
    """
    wanted = max(after_rows * before.rows / after.rows, 1.0) * before.row_bytes
    owned = rows * before.row_bytes
    return Moved(round(_SLABS_FETCHED * owned), round(_SLABS_FETCHED * wanted), 2 * (ranks - 1))
