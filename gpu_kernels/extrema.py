"""Minima and maxima over flat shapes, and medians of small squares."""

from typing import Any

import cv2
import numpy as np

from gpu_kernels.stencils import Stencil, least_words, march, strip_words
from gpu_kernels.step import Step

_SHAPES = {"rect": cv2.MORPH_RECT, "ellipse": cv2.MORPH_ELLIPSE, "cross": cv2.MORPH_CROSS}

_LARGEST_SHAPE = 31
"""Pending rows of larger shapes would not stay in registers."""

_MEDIAN_SIZES = (3, 5)
_SORTED_SIZE = 3


def erode(step: Step) -> Stencil | None:
    """Return the least value of a neighbourhood."""
    return _extrema(step, greatest=False)


def dilate(step: Step) -> Stencil | None:
    """Return the greatest value of a neighbourhood."""
    return _extrema(step, greatest=True)


def median(step: Step) -> Stencil | None:
    """Return the middle value of a square, of sides 3 and 5."""
    size = int(step.params["size"])
    if size not in _MEDIAN_SIZES:
        return None
    lines = size - 1
    together = 1 if size == _SORTED_SIZE else 2  # the larger one also holds half of the neighbours
    most = least_words(step) if step.is_float and size > _SORTED_SIZE else 4
    words = strip_words(step, lines * together, 1 if step.is_float else 0.5, most)
    return march(step, "median", "lanes median", words, {"SIZE": size})


def shape_macros(step: Step) -> dict[str, object] | None:
    """Return the macros of a step's shape, None where it has one pixel or is too large."""
    size, shape = int(step.params["size"]), str(step.params["shape"])
    times = step.halo // (size // 2) if size > 1 else 1
    if shape == "rect":
        # A rectangle many times over is a larger one.
        halo = step.halo
        size, times = size + (times - 1) * (size - 1), 1
    else:
        halo = size // 2
    if times != 1 or size == 1 or size > _LARGEST_SHAPE:
        return None
    spans, span_of = _spans(_mask(shape, size), halo)
    return {
        "ROWS": size,
        "ABOVE": halo,
        "SPANS": len(spans),
        "SPAN": ", ".join(f"{{{first}, {last}}}" for first, last in spans),
        "SPAN_OF": span_of,
    }


def _extrema(step: Step, *, greatest: bool) -> Stencil | None:
    shape = shape_macros(step)
    if shape is None:
        return None
    words = strip_words(step, int(str(shape["ROWS"])), 1 if step.is_float else 0.5)
    return march(step, "extrema", "lanes extrema", words, {**shape, "GREATEST": greatest})


def _mask(shape: str, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(cv2.getStructuringElement(_SHAPES[shape], (size, size)), np.uint8)


def _spans(mask: np.ndarray[Any, np.dtype[np.uint8]], centre: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the spans of a mask's rows, narrowest first, from the centre, and which each row has."""
    covered = [np.flatnonzero(row) for row in mask]
    ends = [(int(one[0]) - centre, int(one[-1]) - centre) for one in covered]
    spans = sorted(set(ends), key=lambda span: span[1] - span[0])
    return spans, [spans.index(one) for one in ends]
