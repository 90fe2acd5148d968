"""Derivatives of one channel: the edge operators, ``laplacian``, and the stencils of ``canny``."""

import cv2

from gpu_kernels.groups import float_group
from gpu_kernels.sources import code
from gpu_kernels.stencils import Pixelwise, Stencil, common, march, strip_words
from gpu_kernels.step import Step

Weights = tuple[int, ...]

_MAGNITUDE, _ABSOLUTE, _BOTH = 0, 1, 2  # as in edges.cuh
_SINGLE_SIZE = {"uint8": 7, "uint16": 5, "float32": 3}
"""Up to these sizes single precision holds the sums, or is what the CPU uses."""

_SCALED_APERTURE = 7
_SCALE = 1 / 16
_LARGEST_THRESHOLD = 32767


def sobel(step: Step) -> Stencil | None:
    """Return the steepness by Sobel's weights."""
    return _gradient(step, *_derivative(int(step.params["size"]), 1), step.params["output"])


def scharr(step: Step) -> Stencil | None:
    """Return the steepness by Scharr's weights."""
    return _gradient(step, (3, 10, 3), (-1, 0, 1), step.params["output"])


def prewitt(step: Step) -> Stencil | None:
    """Return the steepness by plain differences."""
    return _gradient(step, (1, 1, 1), (-1, 0, 1), step.params["output"])


def roberts(step: Step) -> Stencil | None:
    """Return the steepness along the diagonals of 2 × 2 pixels."""
    lines = ((0, 1, 0), (0, 0, 1))
    falling, rising = ((0, 1, 0), (0, 0, -1)), ((0, 0, -1), (0, 1, 0))
    output = step.params["output"]
    parts = {"magnitude": (falling, rising), "x": (falling, falling), "y": (rising, rising)}[output]
    return _edges(step, lines, parts, _MAGNITUDE if output == "magnitude" else _ABSOLUTE)


def laplacian(step: Step) -> Stencil | None:
    """Return the absolute sum of the second derivatives."""
    size = int(step.params["size"])
    largest = {"uint8": 7, "uint16": 3, "float32": 3}[step.dtype]
    lines: tuple[Weights, Weights]
    rows: tuple[Weights, Weights]
    if size == 1:
        lines, rows = ((0, 1, 0), (1, -4, 1)), ((1, 0, 1), (0, 1, 0))
    else:
        smooth, second = _derivative(size, 2)
        lines, rows = (second, smooth), (smooth, second)
    return _edges(step, lines, (rows, rows), _ABSOLUTE, in_double=size > largest)


def canny_gradients(step: Step) -> Stencil | None:
    """Return both derivatives of canny side by side."""
    aperture = int(step.params["aperture"])
    smooth, difference = _derivative(aperture, 1)
    none = (0,) * len(smooth)
    parts = ((smooth, none), (none, difference))
    scale = _SCALE if aperture == _SCALED_APERTURE else 1.0
    if step.is_float:
        macros = {**common(step, 1), "SIZE": aperture, "SMOOTH": smooth, "DIFFERENCE": difference}
        macros |= {"GRADIENT_SCALE": scale, "GROUP": float_group()}
        return Pixelwise(code("float_gradients", "gradients", macros), step.columns)
    return _edges(step, (difference, smooth), parts, _BOTH, scale=scale)


def canny_maps(step: Step) -> Stencil | None:
    """Return the map of weak and strong edges of canny."""
    first, second = float(step.params["low"]), float(step.params["high"])
    scale = _SCALE if int(step.params["aperture"]) == _SCALED_APERTURE else 1.0
    low, high = min(first, second) * scale, max(first, second) * scale
    if step.dtype == "uint16":  # the gradients of bytes, which OpenCV thins
        low, high = min(low, _LARGEST_THRESHOLD), min(high, _LARGEST_THRESHOLD)
    euclidean = bool(step.params["l2"])
    if euclidean:
        low, high = low * low, high * high
    macros = {**common(step, 1), "LOW": low, "HIGH": high, "EUCLIDEAN": euclidean}
    made = code("canny", "canny", macros)
    return Pixelwise(made, step.columns)


def _derivative(size: int, order: int) -> tuple[Weights, Weights]:
    """Return the weights of Sobel's smoothing and of a derivative."""
    across = cv2.getDerivKernels(order, 0, size, ktype=cv2.CV_64F)
    difference, smooth = (tuple(round(float(one)) for one in part.reshape(-1)) for part in across)
    return smooth, difference


def _gradient(step: Step, smooth: Weights, difference: Weights, output: object) -> Stencil | None:
    none = (0,) * len(smooth)
    across, down = (smooth, none), (none, difference)
    parts = {"magnitude": (across, down), "x": (across, across), "y": (down, down)}[str(output)]
    lines = (difference, smooth)
    return _edges(step, lines, parts, _MAGNITUDE if output == "magnitude" else _ABSOLUTE)


def _edges(
    step: Step,
    lines: tuple[Weights, Weights],
    parts: tuple[tuple[Weights, Weights], tuple[Weights, Weights]],
    output: int,
    *,
    scale: float = 1.0,
    in_double: bool | None = None,
) -> Stencil | None:
    if step.channels != 1:
        return None
    size = len(lines[0])
    if in_double is None:
        in_double = size > _SINGLE_SIZE[step.dtype]
    pending = size * (1 if output == _ABSOLUTE else 2)
    words = strip_words(step, pending, 2 if in_double else 1, most=2)
    (x_0, x_1), (y_0, y_1) = parts
    macros = {
        "SIZE": size,
        "LINE_0": lines[0],
        "LINE_1": lines[1],
        "X_0": x_0,
        "X_1": x_1,
        "Y_0": y_0,
        "Y_1": y_1,
        "OUTPUT": output,
        "GRADIENT_SCALE": scale,
        "Acc": "double" if in_double else "f32",
    }
    return march(step, "edges", "edges", words, macros, looks_up=output != _BOTH)
