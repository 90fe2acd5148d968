"""Gaussian smoothing: ``gaussian``."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.arithmetic.blocks import crop, in_groups, per_channel
from mpi_stage.operations.arithmetic.masked import masked
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import integer, number

DEFAULT_SIGMA = 2.0
_REACH_UINT8 = 3
_REACH = 4


def kernel_size(params: Params, dtype: str) -> int:
    """Return the side of the kernel in px.

    What ``cv2.GaussianBlur`` derives from sigma: 3 sigma on each side for ``uint8``, 4 sigma for the
    other types, rounded to an odd number.
    """
    if params["size"] is not None:
        return integer(params, "size")
    reach = _REACH_UINT8 if dtype == "uint8" else _REACH
    # The order of the products and Python's rounding of halves to even are OpenCV's.
    return round(_sigma(params) * reach * 2 + 1) | 1


def _sigma(params: Params) -> float:
    """Return sigma in px; 0 where OpenCV is to derive it from the size."""
    if params["sigma"] is not None:
        return number(params, "sigma")
    return DEFAULT_SIGMA if params["size"] is None else 0.0


def _halo(params: Params, spec: ImageSpec) -> int:
    return kernel_size(params, spec.dtype) // 2


def smoothed(block: Pixels, params: Params) -> Pixels:
    """Return the block smoothed with the parameters of ``gaussian``, without its halo."""
    size, sigma = kernel_size(params, str(block.dtype)), _sigma(params)
    result = np.empty((block.shape[0] - size + 1, block.shape[1] - size + 1, block.shape[2]), block.dtype)
    if _smooth_into(block, params, result):
        return result
    smooth = in_groups(
        block, lambda part: cv2.GaussianBlur(part, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
    )
    return crop(smooth, size // 2)


def _smooth_into(block: Pixels, params: Params, out: Pixels) -> bool:
    """Smooth bytes into ``out``, where that is compiled."""
    if kernels is None or block.dtype != np.uint8:
        return False
    kernels.smooth_uint8(block, out, weights_uint8(kernel_size(params, "uint8"), _sigma(params)))
    return True


@lru_cache(maxsize=16)
def weights_uint8(size: int, sigma: float) -> NDArray[np.uint16]:
    """Return the weights, in 256ths, by which ``cv2.GaussianBlur`` sums bytes: what it makes of one point."""
    point = np.zeros((1, 2 * size - 1), np.uint8)
    point[0, size - 1] = 255
    spread = cv2.GaussianBlur(point, (size, 1), sigma, borderType=cv2.BORDER_REPLICATE)
    weights = spread[0, size // 2 : size // 2 + size].astype(np.uint16)
    # What one weight makes of 255 is rounded to itself up to 128. Together they are 256.
    weights[size // 2] = 0
    weights[size // 2] = 256 - weights.sum()
    return weights


def _masked(block: Pixels, params: Params, nodata: float) -> Pixels:
    """Return the block smoothed without the pixels that hold ``nodata``."""
    size, sigma = kernel_size(params, str(block.dtype)), _sigma(params)
    weights = cv2.getGaussianKernel(size, sigma, cv2.CV_64F)

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        border = cv2.BORDER_REPLICATE
        filtered = in_groups(
            values, lambda part: cv2.sepFilter2D(part, -1, weights, weights, borderType=border)
        )
        return crop(filtered, size // 2)

    return masked(block, size // 2, nodata, smooth)


def _cost(params: Params, spec: ImageSpec) -> float:
    size = kernel_size(params, spec.dtype)
    return per_channel(spec, 0.1 + 0.05 * size if spec.dtype == "uint8" else 0.2 + 0.12 * size)


GAUSSIAN = Operation(
    name="gaussian",
    label="Gaussian blur",
    help="Smooths with a bell curve. Give sigma, or size, or both; with neither, sigma is 2.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.GaussianBlur",
    parameters=(
        Parameter(
            "sigma",
            Kind.FLOAT,
            "Standard deviation of the bell curve; derived from size as OpenCV does if left out.",
            minimum=0.1,
            maximum=100,
            unit="px",
        ),
        Parameter(
            "size",
            Kind.INT,
            "Side of the kernel; if left out 6 sigma + 1 for uint8, 8 sigma + 1 for other types, made odd.",
            minimum=1,
            maximum=801,
            unit="px",
            odd=True,
        ),
    ),
    border=Border.MIRROR,
    cost=_cost,
    halo=_halo,
    stencil=smoothed,
    into=_smooth_into,
    masked=_masked,
)
