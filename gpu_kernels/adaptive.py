"""Comparing values with a weighted mean around them: ``adaptive_gaussian``, and what it has in common."""

import math

import cv2
import numpy as np

from gpu_kernels.sources import code
from gpu_kernels.stencils import LONG_ROWS, Long, Stencil, common, values_of
from gpu_kernels.step import Step

_DEFAULT_OFFSET = 2 / 255
_PAIRED_SIZE = 5
"""Up to this size OpenCV adds along rows from the middle."""


def threshold_offset(step: Step) -> float:
    """Return how far below a mean counts as above; of integers it is rounded up, as OpenCV does."""
    white = 1.0 if step.is_float else float(step.white)
    given = step.params["offset"]
    wanted = _DEFAULT_OFFSET * white if given is None else float(given)
    return wanted if step.is_float else math.ceil(min(max(wanted, -white - 1), white + 1))


def adaptive_gaussian(step: Step) -> Stencil | None:
    """Compare with a mean weighted by a bell curve, summed as floats and rounded once."""
    size = int(step.params["size"])
    if step.is_float and size == _PAIRED_SIZE:
        return None  # the last values of a row are not fused, which only shows where sums are not exact
    macros = {
        **common(step, 1),
        "SIZE": size,
        "IN_PAIRS": size <= _PAIRED_SIZE,
        "OFFSET": threshold_offset(step),
        "RESULTS": LONG_ROWS,
    }
    weights = np.asarray(cv2.getGaussianKernel(size, 0.0, cv2.CV_32F), np.float32).reshape(-1)
    return Long(
        code=code("line_sums compare", "pixelwise compared", macros),
        values=values_of(step),
        strip=1,
        size=size,
        sum_bytes=weights.itemsize,
        weights=weights,
        table=np.zeros(1, step.dtype),
        looks_up=not step.is_float,
    )
