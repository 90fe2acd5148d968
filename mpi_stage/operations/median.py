"""The middle value of a square neighbourhood: ``median``."""

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.arithmetic.blocks import crop, in_groups, per_channel
from mpi_stage.operations.arithmetic.nans import one_nan
from mpi_stage.operations.arithmetic.selection import program
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import integer

_OPENCV_LARGEST_SIZE = 5  # of the types wider than 8 bits
_COMPILED_SIZE_UINT8 = 13  # beyond it OpenCV's constant time per pixel is less
_COMPILED_SIZE = 21  # beyond it the network's own memory counts
_SCRATCH_VALUES = 1 << 18  # 1 MiB of float32: sorted while in cache


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "size") // 2


def _median(block: Pixels, params: Params) -> Pixels:
    """Return the medians of ``size`` × ``size`` neighbourhoods; NaN counts as the largest value."""
    size = integer(params, "size")
    if kernels and _is_compiled(block, size):
        rows, columns, channels = block.shape
        result = np.empty((rows - size + 1, columns - size + 1, channels), block.dtype)
        kernels.median(block, result, program(size))
        return result
    if block.dtype == np.uint8 or (size <= _OPENCV_LARGEST_SIZE and not _has_nan(block)):
        medians = crop(in_groups(block, lambda part: cv2.medianBlur(part, size)), size // 2)
    else:
        planes = [_plane_medians(block[:, :, channel], size) for channel in range(block.shape[2])]
        medians = np.stack(planes, axis=2).astype(block.dtype)
    if block.dtype == np.float32:
        # Which of -0.0 and 0.0 comes out depends on the way of sorting; adding 0 leaves the latter.
        medians += np.float32(0)
        one_nan(medians)
    return medians


def _is_compiled(block: Pixels, size: int) -> bool:
    """Whether the compiled kernel is the fastest: its work grows a little faster than the square."""
    largest = _COMPILED_SIZE_UINT8 if block.dtype == np.uint8 else _COMPILED_SIZE
    return size <= largest and (size > _OPENCV_LARGEST_SIZE or _has_nan(block))


def _has_nan(block: Pixels) -> bool:
    """Whether a NaN is inside; OpenCV's minima and maxima would lose values beside it."""
    return block.dtype == np.float32 and bool(np.isnan(block).any())


def _plane_medians(plane: Pixels, size: int) -> Pixels:
    """Return the medians of one channel as float32, which holds every uint16.

    The neighbourhoods of a run of pixels are laid out one per row and selected from by
    ``numpy.partition``, whose vectorised quickselect is several times faster than SciPy's filter.
    """
    windows = sliding_window_view(plane, (size, size))
    rows, columns = windows.shape[:2]
    result = np.empty((rows, columns), np.float32)
    middle = size * size // 2
    run = max(1, _SCRATCH_VALUES // (size * size))
    for row in range(rows):
        for start in range(0, columns, run):
            part = windows[row, start : start + run]
            values = part.reshape(len(part), -1).astype(np.float32)
            values.partition(middle, axis=1)
            result[row, start : start + run] = values[:, middle]
    return result


def _cost(params: Params, spec: ImageSpec) -> float:
    size = integer(params, "size")
    if size <= _OPENCV_LARGEST_SIZE:
        return per_channel(spec, 0.12 if size < _OPENCV_LARGEST_SIZE else 0.5)
    if spec.dtype == "uint8":
        return per_channel(spec, 0.07 * size * size if size <= _COMPILED_SIZE_UINT8 else 30.0)
    return per_channel(spec, (0.12 if size <= _COMPILED_SIZE else 1.5) * size * size)


MEDIAN = Operation(
    name="median",
    label="Median",
    help="The middle value of a square around each pixel: removes specks and keeps edges.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.medianBlur where it takes type and size, else scipy.ndimage.median_filter",
    parameters=(
        Parameter(
            "size", Kind.INT, "Side of the square.", default=3, minimum=3, maximum=101, unit="px", odd=True
        ),
    ),
    border=Border.NEAREST,
    cost=_cost,
    halo=_halo,
    stencil=_median,
    scratch=by_type(uint8=1.2, uint16=7.2, float32=6),
)
