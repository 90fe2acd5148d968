"""How steep the picture is: ``sobel`` and ``scharr``."""

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.edges import edge_operation
from mpi_stage.operations.declaring.declaration import Kind, Parameter, Params
from mpi_stage.operations.declaring.values import integer

_EXACT_IN_FLOAT32_SIZE = 5  # beyond it, sums of uint16 need more than the 24 bits of a float32

_CLOSE_IN_FLOAT32_SIZE = 3  # beyond it, weights are so large that the rounding of float32 sums shows

_COMPILED_SIZE = 3

_AXES = "from left to right (x) or top to bottom (y)"


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "size") // 2


def _one(_params: Params, _spec: ImageSpec) -> int:
    return 1


def _sobel(block: Pixels, params: Params, axis: str) -> Pixels:
    """Return one derivative of a one-channel block as float32 (rows × columns), halo included.

    Integers give the exact sum, rounded once to float32 where 24 bits do not hold it.
    """
    size = integer(params, "size")
    limit = _CLOSE_IN_FLOAT32_SIZE if block.dtype == np.float32 else _EXACT_IN_FLOAT32_SIZE
    depth = cv2.CV_64F if block.dtype != np.uint8 and size > limit else cv2.CV_32F
    across, down = int(axis == "x"), int(axis == "y")
    result = cv2.Sobel(block, depth, across, down, ksize=size, borderType=cv2.BORDER_REPLICATE)
    return result.astype(np.float32, copy=False)


def _scharr(block: Pixels, _params: Params, axis: str) -> Pixels:
    across, down = int(axis == "x"), int(axis == "y")
    return cv2.Scharr(block, cv2.CV_32F, across, down, borderType=cv2.BORDER_REPLICATE)


SOBEL = edge_operation(
    name="sobel",
    label="Sobel",
    help_text="How steep the gray picture is at each pixel. Colour is turned to gray first.",
    reference="hypot(cv2.Sobel(x), cv2.Sobel(y)) in float32 of the gray picture, rounded and saturated",
    axes=_AXES,
    derivative=_sobel,
    halo=_halo,
    weights=lambda params: (1, 2) if integer(params, "size") == _COMPILED_SIZE else None,
    parameters=(
        Parameter(
            "size", Kind.INT, "Side of the kernel.", default=3, minimum=3, maximum=7, unit="px", odd=True
        ),
    ),
)

SCHARR = edge_operation(
    name="scharr",
    label="Scharr",
    help_text="How steep the gray picture is, with weights 3, 10, 3 that favour no direction: a truer sobel "
    "of size 3, and four times as strong. Colour is turned to gray first.",
    reference="hypot(cv2.Scharr(x), cv2.Scharr(y)) in float32 of the gray picture, rounded and saturated",
    axes=_AXES,
    derivative=_scharr,
    halo=_one,
    weights=lambda _params: (3, 10),
)
