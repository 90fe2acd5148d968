"""How steep the picture is: ``sobel``."""

from typing import Any

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.blocks import crop
from mpi_stage.operations.declaration import (
    Border,
    Channels,
    Kind,
    Operation,
    Parameter,
    Params,
    Pattern,
)
from mpi_stage.operations.values import integer

_EXACT_IN_FLOAT32_SIZE = 5  # beyond it, sums of uint16 need more than the 24 bits of a float32


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "size") // 2


def _sobel(block: Pixels, params: Params) -> Pixels:
    """Return the gradient's magnitude or the absolute value of one of its parts, in the type."""
    size = integer(params, "size")
    output = params["output"]
    if output == "magnitude":
        steepness = magnitude(gradient(block, size, 1, 0), gradient(block, size, 0, 1), block.dtype)
    else:
        steepness = np.abs(gradient(block, size, int(output == "x"), int(output == "y")))
    return crop(saturate(steepness, block.dtype)[:, :, np.newaxis], size // 2)


def gradient(block: Pixels, size: int, across: int, down: int) -> Pixels:
    """Return one derivative of a one-channel block as float32 (rows × columns), halo included.

    Integers give the exact sum, rounded once to float32 where 24 bits do not hold it.
    """
    exact_needs_double = block.dtype == np.uint16 and size > _EXACT_IN_FLOAT32_SIZE
    depth = cv2.CV_64F if exact_needs_double else cv2.CV_32F
    result = cv2.Sobel(block, depth, across, down, ksize=size, borderType=cv2.BORDER_REPLICATE)
    return result.astype(np.float32, copy=False)


def magnitude(across: Pixels, down: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Return ``hypot(across, down)`` of float32 gradients as float32.

    For ``uint8`` single precision is enough: sums of squares below 2²⁴ are exact, and larger ones
    saturate. Else the squares, exact in double precision, are added, rooted and rounded there, as
    the C library's ``hypotf`` does; no order of instructions can change the result.
    """
    if dtype == np.uint8:
        return cv2.magnitude(across, down)
    return cv2.magnitude(across.astype(np.float64), down.astype(np.float64)).astype(np.float32)


def saturate(values: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Round non-negative float32 values, halves to even, and clip them to ``dtype``; floats pass."""
    if dtype == np.float32:
        return values
    if dtype == np.uint8:
        return cv2.convertScaleAbs(values)
    return np.minimum(np.rint(values), np.float32(np.iinfo(dtype).max)).astype(dtype)


def _gray(spec: ImageSpec, _params: Params) -> ImageSpec:
    return spec.with_channels(1)


SOBEL = Operation(
    name="sobel",
    label="Sobel",
    help="How steep the gray picture is at each pixel. Colour is turned to gray first.",
    family="edges",
    pattern=Pattern.STENCIL,
    reference="hypot(cv2.Sobel(x), cv2.Sobel(y)) in float32 of the gray picture, rounded and saturated",
    parameters=(
        Parameter(
            "size", Kind.INT, "Side of the kernel.", default=3, minimum=3, maximum=7, unit="px", odd=True
        ),
        Parameter(
            "output",
            Kind.CHOICE,
            "magnitude, or the absolute value of the change from left to right (x) or top to bottom (y); "
            "rounded and saturated to the type, floats as they are.",
            default="magnitude",
            choices=("magnitude", "x", "y"),
        ),
    ),
    channels=Channels.GRAY_OR_COLOUR,
    gray_inside=True,
    border=Border.MIRROR,
    cost=lambda _params, spec: 1.2 if spec.dtype == "uint8" else 4.0,
    output=_gray,
    halo=_halo,
    stencil=_sobel,
)
