"""Medians of squares of any size."""

from gpu_kernels import extrema
from gpu_kernels.sources import code
from gpu_kernels.stencils import Marching, Stencil, common, values_of
from gpu_kernels.step import Step

_SORTED_SIZE = 5
"""Up to this size values are sorted in registers."""

_RANKED_SIZE_UINT8 = 15
"""Larger squares of bytes are counted: 8 looks at every value then cost more than changing the counts of two
rows' values, even if each of 32 threads touches another line of the cache."""

_RANKED_ROWS = (1, 1)
_COUNTED_ROWS = (64, 128)
"""Rows that a thread goes down. To count the first square of all costs as much as size / 2 rows more."""


def median(step: Step) -> Stencil | None:
    """Return the middle value of a square."""
    size = int(step.params["size"])
    if size <= _SORTED_SIZE:
        return extrema.median(step)
    counted = step.dtype == "uint8" and size > _RANKED_SIZE_UINT8
    macros = {**common(step, 1), "SIZE": size, "BITS": 8 * step.itemsize}
    return Marching(
        code("histogram" if counted else "rank", "lanes rank", macros),
        values_of(step),
        strip=1,
        looks_up=not step.is_float,
        chunk_rows=_COUNTED_ROWS if counted else _RANKED_ROWS,
    )
