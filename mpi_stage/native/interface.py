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

    def resize(
        self,
        block: Pixels,
        out: Pixels,
        across: tuple[Pixels, Pixels],
        down: tuple[Pixels, Pixels],
        /,
    ) -> None:
        """Set ``out`` to weighted sums of ``block``'s pixels: ``uint8``, ``uint16`` or ``float32``.

        First the columns of each row are weighed, then the rows, in single precision. ``across`` and
        ``down`` are tables, taps × results × 1 and contiguous, of which pixels a result is made
        (``int32``) and with which weights (``float32``): at most 16, of as many neighbours. The sums are
        added in the order of the taps. Integers are rounded, halves to even, and clipped.
        """

    def warp(
        self,
        block: Pixels,
        out: Pixels,
        matrix: tuple[float, ...],
        corners: tuple[int, int, int, int],
        taps: int,
        /,
    ) -> None:
        """Set ``out`` to what lies at places of a picture: ``uint8``, ``uint16`` or ``float32``.

        ``matrix`` (6 numbers, two lines) gives the place (x, y) of each pixel; ``corners``
        are row and column of the first pixels of ``out`` and of ``block``, of which the last row is not
        looked at. ``taps`` is 1 for the nearest pixel, 2 for linear, 4 for cubic
        interpolation, as ``mpi_stage.operations.interpolation`` has it, along the rows, then across
        them, in single precision. The block must hold all neighbours of all places.
        """
