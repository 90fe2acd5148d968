"""The bare kernels of the floor: OpenCV's, on one block."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LEVELS = 256

Pixels = NDArray[Any]
Kernel = Callable[[Pixels], Pixels]


def gray(block: Pixels) -> Pixels:
    """Return the gray block."""
    return cv2.cvtColor(block, cv2.COLOR_RGB2GRAY)


def magnitude(block: Pixels, derivative: Callable[[Pixels, str], Pixels]) -> Pixels:
    """Return the gradient's magnitude of the gray block."""
    values = gray(block)
    return cv2.convertScaleAbs(cv2.magnitude(derivative(values, "x"), derivative(values, "y")))


def sobel(values: Pixels, axis: str) -> Pixels:
    """Return Sobel's derivative."""
    return cv2.Sobel(values, cv2.CV_32F, int(axis == "x"), int(axis == "y"))


def scharr(values: Pixels, axis: str) -> Pixels:
    """Return Scharr's derivative."""
    return cv2.Scharr(values, cv2.CV_32F, int(axis == "x"), int(axis == "y"))


def prewitt(values: Pixels, axis: str) -> Pixels:
    """Return Prewitt's derivative."""
    difference, total = np.array([-1, 0, 1], np.float32), np.ones(3, np.float32)
    across, down = (difference, total) if axis == "x" else (total, difference)
    return cv2.sepFilter2D(values, cv2.CV_32F, across, down)


def canny(block: Pixels) -> Pixels:
    """Return the edges of the smoothed gray block."""
    return cv2.Canny(cv2.GaussianBlur(gray(block), (0, 0), 1.4), 50, 150)


def equalize(block: Pixels) -> Pixels:
    """Count the values of each channel, then look new ones up."""
    for channel in range(block.shape[2]):
        cv2.calcHist([block], [channel], None, [LEVELS], [0, LEVELS])
    return look_up(block)


def normalize(block: Pixels) -> Pixels:
    """Find the least and the greatest value, then look new ones up."""
    cv2.minMaxLoc(block.reshape(len(block), -1))
    return look_up(block)


def look_up(block: Pixels) -> Pixels:
    """Look every value up in a table."""
    return cv2.LUT(block, TABLE)


TABLE = np.arange(LEVELS, dtype=np.uint8)
SQUARE = np.ones((5, 5), np.uint8)
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)
BLUR = np.outer((1, 2, 3, 2, 1), (1, 2, 3, 2, 1)).astype(np.float32) / 81
MIX = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]], np.float32)

KERNELS: dict[str, Kernel] = {
    "invert": cv2.bitwise_not,
    "gaussian": lambda block: cv2.GaussianBlur(block, (0, 0), 2),
    "median": lambda block: cv2.medianBlur(block, 3),
    "sobel": lambda block: magnitude(block, sobel),
    "canny": canny,
    "equalize": equalize,
    "grayscale": gray,
    "brightness": look_up,
    "contrast": look_up,
    "gamma": look_up,
    "matrix": lambda block: cv2.transform(block, MIX),
    "channels": lambda block: cv2.cvtColor(block, cv2.COLOR_RGB2BGR),
    "posterize": look_up,
    "threshold": lambda block: cv2.threshold(block, 128, 255, cv2.THRESH_BINARY)[1],
    "box": lambda block: cv2.blur(block, (15, 15)),
    "median9": lambda block: cv2.medianBlur(block, 9),
    "sharpen": lambda block: cv2.filter2D(block, -1, SHARPEN),
    "unsharp": lambda block: cv2.addWeighted(block, 2, cv2.GaussianBlur(block, (0, 0), 2), -1, 0),
    "convolve": lambda block: cv2.filter2D(block, -1, BLUR),
    "scharr": lambda block: magnitude(block, scharr),
    "prewitt": lambda block: magnitude(block, prewitt),
    "laplacian": lambda block: cv2.convertScaleAbs(cv2.Laplacian(gray(block), cv2.CV_16S)),
    "normalize": normalize,
    "erode": lambda block: cv2.erode(block, SQUARE),
    "dilate": lambda block: cv2.dilate(block, SQUARE),
    "opening": lambda block: cv2.morphologyEx(block, cv2.MORPH_OPEN, SQUARE),
    "flip": lambda block: cv2.flip(block, 1),
    "rotate90": lambda block: cv2.rotate(block, cv2.ROTATE_90_COUNTERCLOCKWISE),
    "resize": lambda block: cv2.resize(block, None, fx=0.5, fy=0.5),
}
"""Where a library has the whole of a step."""

PARTS = {
    **dict.fromkeys(("sobel", "canny", "grayscale", "scharr", "prewitt", "laplacian"), 3),
    "resize": 4,
}
"""Of which steps the result has only one of so many parts of the input's bytes."""
