"""Steps that a global operation carries out inside itself, because it needs the picture as it was too."""

from mpi_stage.image import ImageSpec

_BLOCK_PIXELS = 1 << 16
_LEAST_ROWS = 4
_HALO_RATIO = 2
_BYTES_PER_PIXEL = 160
"""Padded blocks and temporaries of all inner steps: up to twenty float64 values for a pixel."""


def inner_block_rows(spec: ImageSpec, halo: int) -> int:
    """Return how many rows go through the inner steps at once; ``halo`` is the sum of their halos."""
    return min(spec.rows, max(_LEAST_ROWS, _HALO_RATIO * halo, _BLOCK_PIXELS // spec.columns))


def inner_working_bytes(
    spec: ImageSpec, halo: int, slab_rows: int, bytes_per_pixel: int = _BYTES_PER_PIXEL
) -> int:
    """Return the memory that a sweep through inner steps takes of a rank with so many rows."""
    rows = min(inner_block_rows(spec, halo), slab_rows)
    padded = (rows + 3 * halo) * (spec.columns + 2 * halo)
    return padded * bytes_per_pixel + (2 * rows + 4 * halo) * spec.row_bytes
