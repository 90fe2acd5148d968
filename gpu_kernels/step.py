"""What a kernel is told of one step; plain numbers, so that nothing of the stage is needed here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Step:
    """One point or stencil step of a pass.

    Attributes
    ----------
    name: of the operation; :mod:`gpu_kernels.table` finds the kernel by it.
    params: checked, every one present.
    rows, columns: of the image.
    channels, dtype: of what the step gets; an alpha channel counts.
    channels_after, dtype_after: of what comes out.
    halo: rows and columns that it looks at on each side; 0 for a point step.
    keeps_alpha: whether the last of four channels goes around the operation.
    cpu: the operation's kernel on the CPU with its parameters bound. It is the measure of this one: tables
        and weights are taken from what it does to numbers that show them.
    border: for a stencil, the place in the image of each place of ``-halo … length + halo - 1``, -1 for the
        fill value, from the length of an axis.
    fill: the value outside with a constant border, as the type.
    nodata: the value of pixels that the step is to leave out, None where it takes all.
    found: of a reduce step's second half what the first has found, None before that is known. The maker of
        its kernel says what it needs of it.

    """

    name: str
    params: Mapping[str, Any]
    rows: int
    columns: int
    channels: int
    dtype: str
    channels_after: int
    dtype_after: str
    halo: int
    keeps_alpha: bool
    cpu: Callable[[Pixels], Pixels]
    border: Callable[[int], NDArray[np.intp]] | None = None
    fill: float = 0.0
    nodata: float | None = None
    found: Any = None

    @property
    def itemsize(self) -> int:
        """Bytes of one value of what the step gets."""
        return int(np.dtype(self.dtype).itemsize)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of what the step gets."""
        return self.columns * self.channels * self.itemsize

    @property
    def row_bytes_after(self) -> int:
        """Bytes of one row of what comes out."""
        return self.columns * self.channels_after * int(np.dtype(self.dtype_after).itemsize)

    @property
    def colours(self) -> int:
        """Channels of what the step gets that the operation sees."""
        return self.channels - 1 if self.keeps_alpha else self.channels

    @property
    def is_float(self) -> bool:
        """Whether values are floats."""
        return self.dtype == "float32"

    @property
    def white(self) -> int:
        """The greatest value of an integer type."""
        return int(np.iinfo(self.dtype).max)
