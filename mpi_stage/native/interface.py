"""What the compiled kernels take and do.

All give up Python's lock while they work, and raise TypeError, ValueError or BufferError for arrays
whose type, size or order in memory is not as said here. Blocks are rows × columns × channels; the pixels
of a row must follow one another, the rows themselves need not. ``out`` is written and must not overlap
what is read.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import Pixels


class Kernels(Protocol):
    """The functions of the extension module ``_kernels``."""

    def smooth_uint8(self, block: Pixels, out: Pixels, weights: NDArray[np.uint16], /) -> None:
        """Set ``out`` to ``block`` (``uint8``) smoothed across and down with ``weights``, rounded once.

        The weights, an odd number n up to 1,025, are symmetric and add up to 256. ``block`` has n // 2 more
        pixels than ``out`` on all sides.
        """

    def steepness_uint8(self, block: Pixels, out: Pixels, side: int, middle: int, /) -> None:
        """Set ``out`` to the rounded magnitude of the gradient of ``block``: ``uint8``, one channel.

        ``block`` has one more pixel than ``out`` on all sides. The derivative across is the difference
        of the neighbours across, summed down with weights ``side``, ``middle``, ``side`` (at most 128 in
        all); and so on down.
        """
