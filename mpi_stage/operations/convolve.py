"""Kernels of one's own: ``convolve``, and ``emboss``, which makes one from an angle."""

import math

import numpy as np

from mpi_stage.errors import ParameterError
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import per_channel
from mpi_stage.operations.arithmetic.correlation import DIRECT_SIZE, Kernel, correlated, small_cost
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import integer, number

MAX_SIDE = 63

_LARGE_SCRATCH_BYTES = 34.0
"""The values and the sums as doubles, a part's values and sums, and what rounds and clips them."""

_DECIMALS = 12
"""Cosines are rounded to so many, so that those of 45° and 90° give the whole numbers they stand for."""


def kernel_of(params: Params) -> Kernel:
    """Return the kernel, rows × columns, that ``kernel`` and ``width`` spell.

    Raises
    ------
    ParameterError: the numbers fill no rectangle of at most 63 × 63.

    """
    numbers = params["kernel"]
    if not isinstance(numbers, tuple):
        message = f"kernel should be numbers, is {numbers!r}"
        raise TypeError(message)
    count = len(numbers)
    width = math.isqrt(count) if params["width"] is None else integer(params, "width")
    if params["width"] is None and width * width != count:
        raise ParameterError(f"kernel has {count} numbers, which fill no square; give its width")
    height, rest = divmod(count, width)
    if rest:
        raise ParameterError(f"kernel has {count} numbers, which fill no rows of width {width}")
    if height > MAX_SIDE:
        raise ParameterError(f"kernel may have {MAX_SIDE} rows, has {height} of width {width}")
    return np.array(numbers, np.float64).reshape(height, width)


def _check(params: Params, _spec: ImageSpec) -> None:
    kernel_of(params)


def _halo(params: Params, _spec: ImageSpec) -> int:
    height, width = kernel_of(params).shape
    return int(max(height, width)) // 2


def _convolve(block: Pixels, params: Params) -> Pixels:
    return correlated(block, kernel_of(params), number(params, "scale"), number(params, "offset"))


def _cost(params: Params, spec: ImageSpec) -> float:
    size = kernel_of(params).size
    if spec.dtype != "float32" and size < DIRECT_SIZE[spec.dtype]:
        return per_channel(spec, 0.4 + 0.03 * size)
    return per_channel(spec, 0.5 + (0.07 if size < MAX_SIDE else 0.4) * size)


def _scratch(params: Params, spec: ImageSpec) -> float:
    """Return bytes for each value: sums of large kernels are made in double precision."""
    large = kernel_of(params).size >= DIRECT_SIZE[spec.dtype]
    return _LARGE_SCRATCH_BYTES if large else float(spec.itemsize)


def _emboss_halo(_params: Params, _spec: ImageSpec) -> int:
    return 1


def _emboss(block: Pixels, params: Params) -> Pixels:
    return correlated(block, emboss_kernel(number(params, "angle"), number(params, "depth")))


def emboss_kernel(angle: float, depth: float) -> Kernel:
    """Return the 3 × 3 kernel of a relief lit from ``angle`` degrees, counter-clockwise from the right.

    The picture itself, plus ``depth`` times its rise away from the light: for 135 and 1 it is the
    well-known ``[-2 -1 0; -1 1 1; 0 1 2]``.
    """
    y, x = np.mgrid[-1:2, -1:2]
    across, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    rise = np.round(math.sqrt(2) * (y * up - x * across), _DECIMALS)
    kernel: Kernel = depth * rise + ((x == 0) & (y == 0))
    return kernel


CONVOLVE = Operation(
    name="convolve",
    label="Convolve",
    help="The weighted sum of each pixel's neighbours with a kernel of your own. The kernel is laid on the "
    "picture as it is written, not turned round (a correlation, as in OpenCV).",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.filter2D; from 130 numbers on (50 for uint16), where that takes a Fourier transform, the "
    "exact sums",
    parameters=(
        Parameter(
            "kernel",
            Kind.NUMBERS,
            "The weights, row by row, e.g. 0,-1,0,-1,5,-1,0,-1,0; at most 63 × 63.",
            required=True,
        ),
        Parameter(
            "width",
            Kind.INT,
            "How many weights make a row; if left out the kernel is a square.",
            minimum=1,
            maximum=MAX_SIDE,
            unit="px",
        ),
        Parameter("scale", Kind.FLOAT, "What the sum is multiplied by, e.g. 1 / sum.", default=1.0),
        Parameter(
            "offset",
            Kind.FLOAT,
            "Added to the scaled sum, in the image's own values; makes negative sums visible.",
            default=0.0,
        ),
    ),
    border=Border.MIRROR,
    cost=_cost,
    check=_check,
    halo=_halo,
    stencil=_convolve,
    scratch=_scratch,
)

EMBOSS = Operation(
    name="emboss",
    label="Emboss",
    help="Makes the picture look like a relief with light from one side.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.filter2D with the identity plus depth times the slope away from the light",
    parameters=(
        Parameter(
            "angle",
            Kind.FLOAT,
            "Where the light comes from: 0 right, 90 above, 135 the upper left, 180 left.",
            default=135.0,
            minimum=-360,
            maximum=360,
            unit="degrees",
        ),
        Parameter(
            "depth", Kind.FLOAT, "Strength of the relief; 0: none.", default=1.0, minimum=0, maximum=10
        ),
    ),
    border=Border.MIRROR,
    cost=lambda _params, spec: small_cost(spec),
    halo=_emboss_halo,
    stencil=_emboss,
)
