"""Canny's edges: ``canny``, and the two stencils that the plan puts before its hysteresis.

``canny`` is made of a gradient (halo ``aperture // 2``), the thinning of its magnitude to one pixel
(halo 1, magnitude 0 outside the image as in ``cv2.Canny``), which leaves a map of weak and strong
edge pixels, and the hysteresis over the whole map, a collective.

Source: J. Canny, "A Computational Approach to Edge Detection", IEEE PAMI 8 (1986); the thinning's
sectors and ties are those of ``cv2.Canny``.
"""

import math

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.native import kernels
from mpi_stage.operations.arithmetic.blocks import crop, to_gray
from mpi_stage.operations.arithmetic.thinning import thin
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
from mpi_stage.operations.declaring.traffic import seams
from mpi_stage.operations.declaring.values import integer, number

WEAK_EDGE, STRONG_EDGE = 1, 2
"""In the map of edge pixels, where 0 is none."""

_SCALED_APERTURE = 7  # OpenCV divides its gradients and the thresholds by 16, to fit 16 bits
_SCALE = 1 / 16
_OPENCV_LARGEST_THRESHOLD = 32767
_SMALLEST_APERTURE = 3

_LOW = Parameter(
    "low",
    Kind.FLOAT,
    "Gradient above which a pixel may be part of an edge, in the image's own values; the default suits "
    "uint8 only. If above high the two change places.",
    default=50.0,
    minimum=0,
)
_HIGH = Parameter(
    "high",
    Kind.FLOAT,
    "Gradient above which a pixel starts an edge, in the image's own values; the default suits uint8 only.",
    default=150.0,
    minimum=0,
)
_APERTURE = Parameter(
    "aperture", Kind.INT, "Side of the Sobel kernel.", default=3, minimum=3, maximum=7, unit="px", odd=True
)
_L2 = Parameter("l2", Kind.BOOL, "Measure the gradient as √(x² + y²) instead of |x| + |y|.", default=False)


def _prepare(params: Params, _spec: ImageSpec) -> tuple[tuple[str, Params], ...]:
    """Return the steps that turn the gray image into the map of weak and strong edge pixels."""
    border = {"border": params["border"], "fill": params["fill"]}
    aperture = params["aperture"]
    gradients: Params = {"aperture": aperture, **border}
    maps: Params = {
        "low": params["low"],
        "high": params["high"],
        "aperture": aperture,
        "l2": params["l2"],
        "border": Border.CONSTANT.value,
        "fill": 0.0,
    }
    steps = (("canny_gradients", gradients), ("canny_maps", maps))
    if number(params, "sigma") == 0:
        return steps
    smooth: Params = {"sigma": params["sigma"], "size": None, **border}
    return (("gaussian", smooth), *steps)


def _gradients_halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "aperture") // 2


def _gradients_output(spec: ImageSpec, _params: Params) -> ImageSpec:
    dtype = "uint16" if spec.dtype == "uint8" else "float32"
    return ImageSpec(spec.rows, spec.columns, 2, dtype)


def _gradients(block: Pixels, params: Params) -> Pixels:
    """Return the derivatives across and down as two channels.

    Those of ``uint8`` are ``int16``, handed on under the name of ``uint16``; the others are
    ``float32``, whole numbers for ``uint16``.
    """
    aperture = integer(params, "aperture")
    if block.dtype == np.uint8:
        compiled = np.empty((block.shape[0] - 2, block.shape[1] - 2, 2), np.uint16)
        if _gradients_into(block, params, compiled):
            return compiled
    pair = [_derivative(block, aperture, 1, 0), _derivative(block, aperture, 0, 1)]
    result = crop(cv2.merge(pair), aperture // 2)
    return result.view(np.uint16) if result.dtype == np.int16 else result


def _gradients_into(block: Pixels, params: Params, out: Pixels) -> bool:
    """Put the derivatives of bytes into ``out``, where that is compiled."""
    if kernels is None or block.dtype != np.uint8 or integer(params, "aperture") != _SMALLEST_APERTURE:
        return False
    kernels.canny_gradients_uint8(block, out.view(np.int16))
    return True


def _derivative(block: Pixels, aperture: int, across: int, down: int) -> Pixels:
    scale = _SCALE if aperture == _SCALED_APERTURE else 1.0
    if block.dtype == np.uint16 and aperture == _SCALED_APERTURE:
        # More than the 24 bits of a float32 before the division; rounded like OpenCV's int16.
        exact = cv2.Sobel(block, cv2.CV_64F, across, down, ksize=aperture, scale=scale)
        return np.rint(exact).astype(np.float32)
    if block.dtype == np.uint8:
        depth = cv2.CV_16S
    else:
        # In single precision the large weights would leave a rounding error where nothing changes.
        depth = cv2.CV_32F if aperture == _SMALLEST_APERTURE or block.dtype == np.uint16 else cv2.CV_64F
    derivative = cv2.Sobel(block, depth, across, down, ksize=aperture, scale=scale)
    return derivative if depth == cv2.CV_16S else derivative.astype(np.float32, copy=False)


def _maps_halo(_params: Params, _spec: ImageSpec) -> int:
    return 1


def _maps_output(spec: ImageSpec, _params: Params) -> ImageSpec:
    return ImageSpec(spec.rows, spec.columns, 1, "uint8")


def _maps(block: Pixels, params: Params) -> Pixels:
    """Return 0 (no edge), 1 (weak) or 2 (strong) for each pixel, from its gradients."""
    first, second = number(params, "low"), number(params, "high")
    scale = _SCALE if integer(params, "aperture") == _SCALED_APERTURE else 1.0
    low, high = min(first, second) * scale, max(first, second) * scale
    euclidean = bool(params["l2"])
    if block.dtype == np.uint16:
        return _maps_int16(block.view(np.int16), low, high, euclidean=euclidean)
    across, down = cv2.split(block)
    return thin(across, down, low, high, euclidean=euclidean)[:, :, np.newaxis]


def _maps_int16(block: Pixels, low: float, high: float, *, euclidean: bool) -> Pixels:
    """Thin the gradients of ``uint8``, all whole numbers."""
    low, high = min(low, _OPENCV_LARGEST_THRESHOLD), min(high, _OPENCV_LARGEST_THRESHOLD)
    if kernels is None:
        return _maps_by_opencv(block, low, high, euclidean=euclidean)
    result = np.empty((block.shape[0] - 2, block.shape[1] - 2, 1), np.uint8)
    if euclidean:
        low, high = low * low, high * high
    kernels.canny_maps_int16(block, result, math.floor(low), math.floor(high), euclidean)
    return result


def _maps_by_opencv(block: Pixels, low: float, high: float, *, euclidean: bool) -> Pixels:
    """Let OpenCV thin the gradients; equal thresholds leave it no hysteresis to do."""
    across, down = cv2.split(block)
    thinned = cv2.Canny(across, down, low, low, L2gradient=euclidean)[1:-1, 1:-1]
    across, down = across[1:-1, 1:-1], down[1:-1, 1:-1]
    if euclidean:
        squares = np.multiply(across, across, dtype=np.int32) + np.multiply(down, down, dtype=np.int32)
        strong = squares > math.floor(high * high)
    else:
        strong = np.abs(across) + np.abs(down) > math.floor(high)
    # Thinned pixels are 255: all bits set. Strong adds 1 to the weak 1.
    levels = strong.view(np.uint8) + np.uint8(WEAK_EDGE)
    return cv2.bitwise_and(levels, thinned)[:, :, np.newaxis]


CANNY = Operation(
    name="canny",
    label="Canny edges",
    help="Thin, connected edges: white on black. A weak edge stays where it reaches a strong one, however "
    "far. Colour is turned to gray first.",
    family="edges",
    pattern=Pattern.GLOBAL,
    reference="cv2.Canny of the whole gray picture",
    parameters=(
        _LOW,
        _HIGH,
        _APERTURE,
        Parameter(
            "sigma",
            Kind.FLOAT,
            "Standard deviation of the Gaussian that smooths the picture before; 0 for none.",
            default=0.0,
            minimum=0,
            maximum=100,
            unit="px",
        ),
        _L2,
    ),
    channels=Channels.GRAY_OR_COLOUR,
    gray_inside=True,
    border=Border.NEAREST,
    cost=lambda _params, _spec: 1.5,
    output=to_gray,
    prepare=_prepare,
    collective="hysteresis",
    traffic=seams,
)

CANNY_GRADIENTS = Operation(
    name="canny_gradients",
    label="Canny's gradients",
    help="The derivatives across and down, as two channels: the first stencil of canny.",
    family="edges",
    pattern=Pattern.STENCIL,
    reference="cv2.Sobel",
    parameters=(_APERTURE,),
    border=Border.NEAREST,
    cost=lambda _params, spec: 0.3 if spec.dtype == "uint8" else 2.0,
    output=_gradients_output,
    halo=_gradients_halo,
    stencil=_gradients,
    into=_gradients_into,
)

CANNY_MAPS = Operation(
    name="canny_maps",
    label="Canny's map of edge pixels",
    help="0 none, 1 weak, 2 strong, from the gradients: the second stencil of canny.",
    family="edges",
    pattern=Pattern.STENCIL,
    reference="cv2.Canny without its hysteresis",
    parameters=(_LOW, _HIGH, _APERTURE, _L2),
    types=("uint16", "float32"),
    border=Border.CONSTANT,
    cost=lambda _params, spec: 0.6 if spec.dtype == "uint16" else 60.0,
    output=_maps_output,
    halo=_maps_halo,
    stencil=_maps,
    scratch=by_type(uint8=1, uint16=2, float32=20),
)
