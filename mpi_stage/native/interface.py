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

    def canny_gradients_uint8(self, block: Pixels, out: Pixels, /) -> None:
        """Set ``out`` (``int16``, two channels) to the 3 × 3 Sobel derivatives across and down of ``block``.

        ``block`` (``uint8``, one channel) has one more pixel than ``out`` on all sides.
        """

    def canny_maps_int16(self, block: Pixels, out: Pixels, low: int, high: int, euclidean: bool, /) -> None:
        """Set ``out`` (``uint8``) to 0 no edge, 1 weak or 2 strong, from ``block`` as gradients.

        ``block`` (``int16``, two channels) has one more pixel than ``out`` on all sides. Weak is a ridge
        whose magnitude is above ``low``, strong one above ``high``; the magnitude is the sum of the absolute
        values or, if ``euclidean``, of the squares. Derivatives are at most 20,000.
        """

    def edge_components(self, levels: Pixels, ends: Pixels, strong: Pixels, /) -> int:
        """Find the 8-connected components of ``levels`` that touch its first or last row; return how many.

        They are numbered from 1 on. ``ends`` (2 × columns × 1, ``int32``) gets the numbers along these
        two rows, 0 for no edge; ``strong`` (1 × columns + 1 × 1, ``uint8``) gets, for each number from
        1 on, whether a pixel of the component is 2.
        """

    def histogram_uint8(self, block: Pixels, counts: NDArray[np.int64], /) -> None:
        """Add to ``counts`` (1 × channels × 256) how often each value is in each channel of ``block``.

        ``block`` is ``uint8`` and has at most 64 channels.
        """

    def look_up_uint8(self, block: Pixels, tables: NDArray[np.uint8], out: Pixels, /) -> None:
        """Set ``out`` to what ``tables`` (1 × channels × 256) has for each value of ``block``: ``uint8``."""

    def keep_edges(self, levels: Pixels, keep: Pixels, out: Pixels, /) -> None:
        """Set ``out`` (``uint8``) to 255 in the components of ``levels`` that stay, else to 0.

        Those that hold a 2 stay, and those of which ``keep`` (1 × n × 1, ``uint8``) says so, in the
        numbers of :meth:`edge_components`.
        """

    def read_tiles(self, fd: int, offsets: NDArray[np.int64], rows: Pixels, buffer: Pixels, /) -> int:
        """Fill ``rows`` (rows × bytes × 1) from tiles beside one another; return how many were read.

        The rows of each tile begin at one of ``offsets`` and fill ``buffer`` (rows × bytes of a tile's row
        × 1, contiguous); the last may be cut. Fewer than needed means that the next cannot be read whole.
        """

    def write_tiles(self, fd: int, place: int, apart: int, rows: Pixels, buffer: Pixels, /) -> int:
        """Write ``rows`` as whole tiles, of which the first begins at ``place``, the next ``apart`` bytes on.

        ``rows`` and ``buffer`` are as in :meth:`read_tiles`. Returns how many were written: all that fit
        in a row of ``rows``, unless the system refuses the next.
        """

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
        interpolation, as ``operations.arithmetic.interpolation`` has it, along the rows, then across
        them, in single precision. The block must hold all neighbours of all places.
        """

    def median(self, block: Pixels, out: Pixels, program: NDArray[np.int32], /) -> None:
        """Set ``out`` to the middle values of squares of ``uint8``, ``uint16`` or ``float32``.

        ``program`` is what ``operations.arithmetic.selection`` writes for squares of n × n values, n up to
        63; ``block`` has n // 2 more pixels than ``out`` on all sides. Of floats, a NaN is the largest;
        all come out alike, and a zero is positive.
        """

    def correlate(
        self,
        block: Pixels,
        out: Pixels,
        taps: tuple[NDArray[np.int32], NDArray[np.float32]],
        around: tuple[int, float, int],
        /,
    ) -> None:
        """Set ``out`` to weighted sums of each pixel's neighbours in ``block``: ``uint8`` or ``uint16``.

        ``taps`` are the neighbours' rows and columns (n × 2 × 1), counted from the upper left corner of
        the square around a pixel, and their weights (n × 1 × 1), in the order in which they are added, in
        single precision. ``around`` is the side of that square, odd and up to 63, what the sums begin
        with, and of how many values of a row of results the products are not rounded before they are
        added; there are processors that take long for that. ``block`` has half the side more pixels than
        ``out`` on all sides. Results are rounded, halves to even, and clipped.
        """
