"""The mean of a square neighbourhood: ``box``."""

import math

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import crop, in_groups, per_channel
from mpi_stage.operations.arithmetic.masked import masked
from mpi_stage.operations.arithmetic.row_ends import is_leftover
from mpi_stage.operations.arithmetic.window_sums import square_sums
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import integer

_GROUP = 8
"""Means that OpenCV scales at once in float32; what is left of a row is scaled in float64."""

_DOUBLE_BITS = 53
_FLOAT_FRACTION_BITS = 23

_ROUNDED_TWICE = {"uint8": (17, 255), "uint16": (11, 181)}
"""The sizes for which that makes a difference; below it no sum is near enough to a half, and OpenCV
sums ``uint8`` up to size 15 and ``uint16`` beyond 181 in another way."""


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "size") // 2


def _box(block: Pixels, params: Params) -> Pixels:
    """Return the means of ``size`` × ``size`` neighbourhoods."""
    size = integer(params, "size")
    if block.dtype == np.float32:
        return _float_means(block, size)
    means = _opencv_means(block, size)
    smallest, largest = _ROUNDED_TWICE[str(block.dtype)]
    if smallest <= size <= largest:
        _redo_row_ends(means, block, size)
    return means


def _redo_row_ends(means: Pixels, block: Pixels, size: int) -> None:
    """Round the last columns of ``means`` as OpenCV does in rows of this length."""
    columns, channels = means.shape[1:]
    last = min(_GROUP, columns)
    strip = np.ascontiguousarray(block[:, -(last + size - 1) :])
    sums = crop(in_groups(strip, lambda part: _integer_sums(part, size)), size // 2)
    scale = 1 / (size * size)
    grouped = sums.astype(np.float32) * np.float32(scale)
    single = sums * scale
    leftover = is_leftover(columns, channels, _GROUP, last)
    means[:, columns - last :] = np.rint(np.where(leftover, single, grouped))


def _integer_sums(part: Pixels, size: int) -> Pixels:
    border = cv2.BORDER_REPLICATE
    return cv2.boxFilter(part, cv2.CV_32S, (size, size), normalize=False, borderType=border)


def _opencv_means(block: Pixels, size: int) -> Pixels:
    means = in_groups(block, lambda part: cv2.blur(part, (size, size), borderType=cv2.BORDER_REPLICATE))
    return crop(means, size // 2)


def _float_means(block: Pixels, size: int) -> Pixels:
    """Return the means of floats, the same for a pixel whatever else is in the block.

    ``cv2.blur`` keeps a running sum: what it rounded, or a NaN that it met, stays in the sum for all
    the rows that follow, so that the result would depend on where a block begins. It may be used
    where nothing is rounded; both ways then give the same bits.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        if _sums_are_exact(block, size):
            means = _opencv_means(block, size)
        else:
            sums = square_sums(block.astype(np.float64), size)
            means = (sums * (1 / (size * size))).astype(np.float32)
    # Sums that start from 0 are never -0.0; those that do not may be.
    means += np.float32(0)
    return means


def _masked(block: Pixels, params: Params, nodata: float) -> Pixels:
    """Return the means of the pixels that do not hold ``nodata``."""
    size = integer(params, "size")
    return masked(block, size // 2, nodata, lambda values: square_sums(values, size))


def _sums_are_exact(block: Pixels, size: int) -> bool:
    """Whether no sum of values, whatever its order, needs more than the 53 bits of a double.

    That is so if every value is a multiple of a quantum, a power of two, of which no sum has more
    than 2⁵³. Values of at least 2²³ quanta always are: their last bit is worth a quantum or more.
    """
    magnitudes = np.abs(block)
    largest = float(magnitudes.max())
    if not math.isfinite(largest):
        return False
    # A running sum holds one row or column more than the neighbourhood, hence the 2.
    exponent = math.frexp(2 * size * size * largest)[1]
    quantum = 2.0 ** (exponent - _DOUBLE_BITS)
    small = block[magnitudes < quantum * 2.0**_FLOAT_FRACTION_BITS]
    multiples = small.astype(np.float64) / quantum
    return bool((multiples == np.rint(multiples)).all())


BOX = Operation(
    name="box",
    label="Box blur",
    help="The mean of a square around each pixel.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.blur",
    parameters=(
        Parameter(
            "size", Kind.INT, "Side of the square.", default=5, minimum=1, maximum=255, unit="px", odd=True
        ),
    ),
    aliases=("blur",),
    border=Border.MIRROR,
    cost=lambda _params, spec: per_channel(spec, 0.7),
    halo=_halo,
    stencil=_box,
    masked=_masked,
    scratch=by_type(uint8=1.2, uint16=2.4, float32=36),
)
