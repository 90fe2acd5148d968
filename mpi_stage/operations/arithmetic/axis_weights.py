"""Which pixels of an axis, with which weights, make each pixel of the resized axis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi_stage.geometry.partition import Rows
from mpi_stage.operations.arithmetic.interpolation import WEIGHTS

_AREA_EPSILON = 1e-3
"""OpenCV leaves out a pixel of which less than this is covered."""


@dataclass(frozen=True, eq=False)
class AxisWeights:
    """``index`` and ``weights`` (length after × taps): the sum of weight · pixel is the result."""

    index: NDArray[np.intp]
    weights: NDArray[np.float32]

    @property
    def taps(self) -> int:
        """How many pixels one result is made of, at most."""
        return int(self.index.shape[1])

    def needed(self, results: Rows) -> Rows:
        """Return the pixels of the axis before that some results need."""
        part = self.index[results.first : results.end]
        return Rows(int(part.min()), int(part.max()) + 1)


def axis_weights(before: int, after: int, interpolation: str, *, shrinks: bool) -> AxisWeights:
    """Return the weights for an axis of ``before`` pixels that becomes ``after`` pixels long.

    ``shrinks`` says that neither axis of the image becomes longer: only then is ``area`` a mean over
    areas; else OpenCV interpolates linearly between pixels, at places of its own.
    """
    # OpenCV inverts the ratio, and so rounds twice.
    scale = 1.0 / (after / before)
    places = np.arange(after, dtype=np.float64)
    if interpolation == "nearest":
        index = np.minimum(np.floor(places * scale).astype(np.intp), before - 1)
        return AxisWeights(index[:, np.newaxis], np.ones((after, 1), np.float32))
    if interpolation == "area" and shrinks:
        return _area(before, after, scale)
    if interpolation == "area":
        pixel = np.floor(places * scale)
        # OpenCV rounds here: just below one would be a whole pixel further than one.
        past = ((places + 1) - (pixel + 1) * (after / before)).astype(np.float32)
        fraction = np.where(past <= 0, 0, past - np.floor(past)).astype(np.float64)
        return _neighbours(before, pixel, fraction, "linear")
    centre = (places + 0.5) * scale - 0.5
    if interpolation == "lanczos":
        centre = centre.astype(np.float32)  # as OpenCV does here, and nowhere else
    pixel = np.floor(centre)
    return _neighbours(before, pixel.astype(np.float64), (centre - pixel).astype(np.float64), interpolation)


def _neighbours(
    before: int, pixel: NDArray[np.float64], fraction: NDArray[np.float64], kind: str
) -> AxisWeights:
    """Return weights of a fixed number of neighbours; beyond an end its last pixel repeats itself."""
    earlier, weigh = WEIGHTS[kind]
    weights = weigh(fraction)
    index = pixel.astype(np.intp)[:, np.newaxis] + np.arange(weights.shape[1]) - earlier
    return AxisWeights(np.clip(index, 0, before - 1), weights.astype(np.float32))


def _area(before: int, after: int, scale: float) -> AxisWeights:
    """Return the covered part of each pixel under each result, as a fraction of what is covered."""
    start = np.arange(after, dtype=np.float64) * scale
    end = start + scale
    covered = np.minimum(scale, before - start)
    last = np.minimum(np.floor(end), before - 1)
    first = np.minimum(np.ceil(start), last)
    taps = int((last - first).max()) + 2
    offset = np.arange(taps)
    index = first[:, np.newaxis] - 1 + offset
    weights = np.where(index < last[:, np.newaxis], 1.0, 0.0)
    head, tail = first - start, end - last
    weights[:, 0] = np.where(head > _AREA_EPSILON, head, 0.0)
    at_last = index == last[:, np.newaxis]
    cut = np.where(tail > _AREA_EPSILON, np.minimum(np.minimum(tail, 1.0), covered), 0.0)
    weights = np.where(at_last, cut[:, np.newaxis], weights) / covered[:, np.newaxis]
    lowest = np.where(head > _AREA_EPSILON, first - 1, first)
    highest = np.where(tail > _AREA_EPSILON, last, last - 1)
    index = np.clip(index, lowest[:, np.newaxis], np.maximum(highest, lowest)[:, np.newaxis])
    return AxisWeights(index.astype(np.intp), weights.astype(np.float32))
