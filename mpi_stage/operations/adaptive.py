"""Comparing each value with the mean around it: ``adaptive_mean`` and ``adaptive_gaussian``."""

import math
from collections.abc import Callable

import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import crop, to_gray
from mpi_stage.operations.arithmetic.look_up import in_type
from mpi_stage.operations.box import BOX
from mpi_stage.operations.declaring.declaration import (
    Border,
    Channels,
    Kind,
    Operation,
    Parameter,
    Params,
    Pattern,
    Scratch,
    StencilKernel,
)
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import integer, number
from mpi_stage.operations.gaussian import GAUSSIAN

_DEFAULT_OFFSET = 2 / 255
"""As a share of the range: 2 of ``uint8``."""


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "size") // 2


def _box_means(block: Pixels, size: int) -> Pixels:
    return _kernel(BOX)(block, {"size": size})


def _gaussian_means(block: Pixels, size: int) -> Pixels:
    """Return weighted means: smoothed as floats and rounded once, as ``cv2.adaptiveThreshold`` does."""
    means = _kernel(GAUSSIAN)(block.astype(np.float32), {"size": size, "sigma": None})
    return means if block.dtype == np.float32 else in_type(means, str(block.dtype))


def _kernel(operation: Operation) -> StencilKernel:
    if operation.stencil is None:
        message = f"{operation.name} is no stencil"
        raise TypeError(message)
    return operation.stencil


def _above(block: Pixels, params: Params, means_of: Callable[[Pixels, int], Pixels]) -> Pixels:
    """Return white where a value lies above the mean less the offset, else 0; so for NaN."""
    size = integer(params, "size")
    means, values = means_of(block, size), crop(block, size // 2)
    if values.dtype == np.float32:
        offset = _DEFAULT_OFFSET if params["offset"] is None else number(params, "offset")
        with np.errstate(invalid="ignore", over="ignore"):
            return np.greater(values, means - np.float32(offset)).astype(np.float32)
    white = np.iinfo(values.dtype).max
    wanted = _DEFAULT_OFFSET * white if params["offset"] is None else number(params, "offset")
    # OpenCV rounds the offset up; beyond the range it decides nothing any more.
    offset = math.ceil(min(max(wanted, -white - 1), white + 1))
    differences: Pixels = np.subtract(values, means, dtype=np.int32)
    chosen: Pixels = np.greater(differences, -offset).astype(values.dtype)
    chosen *= values.dtype.type(white)
    return chosen


_PARAMETERS = (
    Parameter(
        "size",
        Kind.INT,
        "Side of the neighbourhood: a few times the width of the strokes that are to be told apart.",
        default=11,
        minimum=3,
        maximum=255,
        unit="px",
        odd=True,
    ),
    Parameter(
        "offset",
        Kind.FLOAT,
        "How far below the mean a value may lie and still become white, in the image's own values (uint8 to "
        "255, uint16 to 65535, floats as they are); integers round it up. If left out 2 of 255, or as much "
        "of the range of other types.",
    ),
)


def _declared(
    kind: str, mean: str, cost: float, means_of: Callable[[Pixels, int], Pixels], scratch: Scratch
) -> Operation:
    return Operation(
        name=f"adaptive_{kind}",
        label=f"Adaptive threshold ({kind})",
        help=f"White where a pixel is lighter than the {mean} around it less an offset, else black, on the "
        "gray picture: finds writing under uneven light. NaN becomes black.",
        family="threshold",
        pattern=Pattern.STENCIL,
        reference=f"cv2.adaptiveThreshold(…, cv2.ADAPTIVE_THRESH_{kind.upper()}_C, cv2.THRESH_BINARY, …); "
        "the same rule for wider types",
        parameters=_PARAMETERS,
        channels=Channels.GRAY_OR_COLOUR,
        gray_inside=True,
        border=Border.NEAREST,
        cost=lambda params, spec: (2 + cost * integer(params, "size")) * (1 if spec.itemsize == 1 else 2),
        output=to_gray,
        halo=_halo,
        stencil=lambda block, params: _above(block, params, means_of),
        scratch=scratch,
    )


ADAPTIVE_MEAN = _declared(
    "mean", "mean of the square", 0.01, _box_means, by_type(uint8=6, uint16=8, float32=36)
)
ADAPTIVE_GAUSSIAN = _declared(
    "gaussian",
    "mean, weighted by a bell curve,",
    0.3,
    _gaussian_means,
    by_type(uint8=11, uint16=9.5, float32=8),
)
