"""Sharpening with a blurred copy: ``unsharp``."""

import math

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import per_channel
from mpi_stage.operations.arithmetic.look_up import looked_up
from mpi_stage.operations.arithmetic.nans import one_nan
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import number
from mpi_stage.operations.gaussian import kernel_size, smoothed


def _blur(params: Params) -> Params:
    """Return the parameters of the ``gaussian`` that the picture is compared with."""
    return {"sigma": params["sigma"], "size": None}


def _halo(params: Params, spec: ImageSpec) -> int:
    return kernel_size(_blur(params), spec.dtype) // 2


def _unsharp(block: Pixels, params: Params) -> Pixels:
    """Return each value plus ``amount`` times what it differs from its blurred self."""
    halo = kernel_size(_blur(params), str(block.dtype)) // 2
    blurred = smoothed(block, _blur(params))
    values = np.ascontiguousarray(block[halo : halo + len(blurred), halo : halo + blurred.shape[1]])
    amount, threshold = number(params, "amount"), number(params, "threshold")
    if block.dtype == np.float32:
        return _sharpened_floats(values, blurred, np.float32(amount), np.float32(threshold))
    return _sharpened_integers(values, blurred, amount, threshold)


def _sharpened_integers(values: Pixels, blurred: Pixels, amount: float, threshold: float) -> Pixels:
    """Round ``amount`` times the difference, halves to even, and add it with saturation."""
    if amount.is_integer() and threshold <= 1:
        # Whole numbers far below 2²⁴: OpenCV's sum in single precision rounds nothing.
        flat, soft = (pixels.reshape(len(pixels), -1) for pixels in (values, blurred))
        return cv2.addWeighted(flat, 1 + amount, soft, -amount, 0).reshape(values.shape)
    white = int(np.iinfo(values.dtype).max)
    change = np.minimum(np.rint(np.arange(white + 1) * amount), white).astype(values.dtype)
    change[: min(math.ceil(threshold), white + 1)] = 0
    # OpenCV's sums and differences of integers saturate: at most one of the two differences is not 0.
    brighter = looked_up(cv2.subtract(values, blurred).reshape(values.shape), change)
    darker = looked_up(cv2.subtract(blurred, values).reshape(values.shape), change)
    return cv2.subtract(cv2.add(values, brighter), darker).reshape(values.shape)


def _sharpened_floats(values: Pixels, blurred: Pixels, amount: np.float32, threshold: np.float32) -> Pixels:
    """Do so for floats; where the difference is NaN the value stays."""
    with np.errstate(invalid="ignore", over="ignore"):
        difference = values - blurred
        result: Pixels = np.where(np.abs(difference) >= threshold, values + amount * difference, values)
    return one_nan(result)


_SCRATCH = by_type(uint8=4.6, uint16=9, float32=14.5)
_SUMMED_SCRATCH = by_type(uint8=3.6, uint16=5, float32=14.5)
"""Where one sum of the picture and its blurred self does."""


def _scratch(params: Params, spec: ImageSpec) -> float:
    summed = number(params, "amount").is_integer() and number(params, "threshold") <= 1
    return (_SUMMED_SCRATCH if summed else _SCRATCH)(params, spec)


def _cost(params: Params, spec: ImageSpec) -> float:
    return per_channel(spec, 0.6 + 0.12 * kernel_size(_blur(params), spec.dtype))


UNSHARP = Operation(
    name="unsharp",
    label="Unsharp mask",
    help="Sharpens by adding what each value differs from its Gaussian-blurred self.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="v + amount * (v - g), g = gaussian(sigma), where |v - g| >= threshold",
    parameters=(
        Parameter(
            "sigma",
            Kind.FLOAT,
            "Standard deviation of the blur: the size of the details that are strengthened.",
            default=2.0,
            minimum=0.1,
            maximum=100,
            unit="px",
        ),
        Parameter(
            "amount",
            Kind.FLOAT,
            "How much of the difference is added; 0 changes nothing.",
            default=1.0,
            minimum=0,
            maximum=10,
        ),
        Parameter(
            "threshold",
            Kind.FLOAT,
            "Differences smaller than this, in the image's own values, are left alone, so that noise is not "
            "sharpened.",
            default=0.0,
            minimum=0,
        ),
    ),
    border=Border.MIRROR,
    cost=_cost,
    halo=_halo,
    stencil=_unsharp,
    scratch=_scratch,
)
