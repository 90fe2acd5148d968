"""How much each pixel differs from its surroundings: ``laplacian``."""

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import crop, to_gray
from mpi_stage.operations.arithmetic.edges import saturate
from mpi_stage.operations.declaring.declaration import (
    Border,
    Channels,
    Kind,
    Operation,
    Parameter,
    Params,
    Pattern,
)
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import integer

_EXACT_IN_FLOAT32_SIZE = {"uint8": 7, "uint16": 3, "float32": 3}
"""Up to these sizes 24 bits hold every sum of integers; beyond, and for the exact sums of floats, 53 do."""

_EXACT_IN_INT16_SIZE = 3  # of bytes


def _halo(params: Params, _spec: ImageSpec) -> int:
    return max(1, integer(params, "size") // 2)


def _laplacian(block: Pixels, params: Params) -> Pixels:
    """Return the absolute value of the sum of both second derivatives, in the type."""
    size, dtype = integer(params, "size"), block.dtype
    if dtype == np.uint8 and size <= _EXACT_IN_INT16_SIZE:
        whole = cv2.Laplacian(block, cv2.CV_16S, ksize=size, borderType=cv2.BORDER_REPLICATE)
        return crop(cv2.convertScaleAbs(whole)[:, :, np.newaxis], 1)
    if size <= _EXACT_IN_FLOAT32_SIZE[str(dtype)]:
        sums = cv2.Laplacian(block, cv2.CV_32F, ksize=size, borderType=cv2.BORDER_REPLICATE)
    else:
        # Given integers OpenCV would round between rows and columns.
        values = block.astype(np.float64)
        sums = cv2.Laplacian(values, cv2.CV_64F, ksize=size, borderType=cv2.BORDER_REPLICATE)
    strength = np.abs(sums, out=sums)
    if dtype != np.float32:
        # Larger values do not fit the int that OpenCV rounds through.
        strength = np.minimum(strength, np.iinfo(dtype).max, out=strength)
    with np.errstate(over="ignore"):
        strength = strength.astype(np.float32, copy=False)
    return crop(saturate(strength, dtype)[:, :, np.newaxis], _halo(params, ImageSpec(0, 0, 1, str(dtype))))


LAPLACIAN = Operation(
    name="laplacian",
    label="Laplacian",
    help="How much each pixel of the gray picture differs from those around it, without its sign: fine "
    "lines and specks. Colour is turned to gray first.",
    family="edges",
    pattern=Pattern.STENCIL,
    reference="absolute value of cv2.Laplacian of the gray picture, rounded and saturated",
    parameters=(
        Parameter(
            "size",
            Kind.INT,
            "Side of the kernel; 1 is the plain one of four neighbours (3 × 3), larger ones smooth first.",
            default=1,
            minimum=1,
            maximum=15,
            unit="px",
            odd=True,
        ),
    ),
    channels=Channels.GRAY_OR_COLOUR,
    gray_inside=True,
    border=Border.MIRROR,
    cost=lambda params, spec: (0.4 if spec.dtype == "uint8" else 1.5) + 0.4 * integer(params, "size"),
    output=to_gray,
    halo=_halo,
    stencil=_laplacian,
    scratch=by_type(uint8=4, uint16=9, float32=4),
)
