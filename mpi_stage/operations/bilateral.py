"""Smoothing that stops at edges: ``bilateral``.

Source: C. Tomasi, R. Manduchi, "Bilateral Filtering for Gray and Color Images", ICCV 1998; the disc
and the distance of colours (the sum of the channels' differences) are those of ``cv2.bilateralFilter``.
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache

import cv2
import numpy as np

from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import crop, measured_channels
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import integer, number

_DEFAULT_COLOUR_FRACTION = 0.1  # of the type's range
_DOUBLE_BYTES = 8
_CHUNK_PIXELS = 1 << 15  # a chunk's planes stay in cache while all neighbours are added

Weigh = Callable[[Pixels], Pixels]
"""Distances of colours → weights of the same shape."""


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "diameter") // 2


def _sigma_color(params: Params, dtype: str) -> float:
    if params["sigma_color"] is not None:
        return number(params, "sigma_color")
    return _DEFAULT_COLOUR_FRACTION * ImageSpec(1, 1, 1, dtype).value_range


def _bilateral(block: Pixels, params: Params) -> Pixels:
    """Return means of discs, weighted by nearness in place and colour."""
    diameter, sigma_space = integer(params, "diameter"), number(params, "sigma_space")
    sigma_color = _sigma_color(params, str(block.dtype))
    if block.dtype == np.uint8 and block.shape[2] in {1, COLOUR_CHANNELS}:
        # With other borders OpenCV may leave the work to IPP, which rounds by a block's place.
        border = cv2.BORDER_REFLECT
        smooth = cv2.bilateralFilter(block, diameter, sigma_color, sigma_space, borderType=border)
        return crop(smooth.reshape(block.shape), diameter // 2)
    weigh = _weigher(block, sigma_color)
    radius = diameter // 2
    rows, columns = block.shape[0] - 2 * radius, block.shape[1] - 2 * radius
    result = np.empty((rows, columns, block.shape[2]), block.dtype)
    chunk = max(1, _CHUNK_PIXELS // columns)
    for first in range(0, rows, chunk):
        part = block[first : first + chunk + 2 * radius]
        result[first : first + chunk] = _means(part, radius, sigma_space, weigh)
    return result


def _weigher(block: Pixels, sigma: float) -> Weigh:
    """Return the bell curve of colour distances; for integers a table of all there are."""
    factor = -1 / (2 * sigma * sigma)
    if block.dtype == np.float32:
        return lambda distance: np.exp(distance * distance * np.float32(factor))
    table = _table(int(np.iinfo(block.dtype).max) * block.shape[2], factor)
    return lambda distance: table[distance]


@lru_cache(maxsize=4)
def _table(largest: int, factor: float) -> Pixels:
    weights = np.arange(largest + 1, dtype=np.float64)
    weights *= weights
    weights *= factor
    with np.errstate(under="ignore"):
        return np.exp(weights, out=weights)


def _means(part: Pixels, radius: int, sigma_space: float, weigh: Weigh) -> Pixels:
    """Return the weighted means of a chunk; the neighbours are added in one order for all pixels.

    What is not finite has no weight for others and stays as it is.
    """
    floats = part.dtype == np.float32
    planes = np.ascontiguousarray(np.moveaxis(part, 2, 0), np.float32 if floats else np.int32)
    values = np.nan_to_num(planes, nan=0, posinf=0, neginf=0) if floats else planes
    rows, columns = part.shape[0] - 2 * radius, part.shape[1] - 2 * radius
    centre = planes[:, radius : radius + rows, radius : radius + columns]
    sums, total = np.zeros((part.shape[2], rows, columns)), np.zeros((rows, columns))
    with np.errstate(invalid="ignore", over="ignore", under="ignore", divide="ignore"):
        for y, x, nearness in _disc(radius, sigma_space):
            window = np.s_[:, radius + y : radius + y + rows, radius + x : radius + x + columns]
            weights = weigh(_distances(planes[window], centre)) * nearness
            if floats:
                weights[np.isnan(weights)] = 0
            total += weights
            for channel, plane in enumerate(values[window]):
                sums[channel] += weights * plane
        means = np.where(total > 0, sums / total, centre)
    if not floats:
        means = np.rint(means)
    return np.moveaxis(means, 0, 2).astype(part.dtype)


def _distances(planes: Pixels, centre: Pixels) -> Pixels:
    """Return the sums over the channels of absolute differences."""
    total: Pixels = np.abs(planes[0] - centre[0])
    for plane, middle in zip(planes[1:], centre[1:], strict=True):
        total += np.abs(plane - middle)
    return total


def _disc(radius: int, sigma: float) -> Iterator[tuple[int, int, float]]:
    """Yield the places of a disc, row by row, with their weights by distance."""
    for y in range(-radius, radius + 1):
        for x in range(-radius, radius + 1):
            if y * y + x * x <= radius * radius:
                yield y, x, math.exp(-(y * y + x * x) / (2 * sigma * sigma))


def _table_bytes(_params: Params, spec: ImageSpec) -> int:
    """Return the bytes of the weights of all distances, where they are not computed."""
    if spec.dtype == "float32" or (spec.dtype == "uint8" and spec.channels in {1, COLOUR_CHANNELS}):
        return 0
    return _DOUBLE_BYTES * (int(spec.value_range) * spec.channels + 1)


def _cost(params: Params, spec: ImageSpec) -> float:
    area = integer(params, "diameter") ** 2
    channels = measured_channels(spec)
    if spec.dtype == "uint8" and channels in {1, COLOUR_CHANNELS}:
        return 0.4 * channels * area
    return area * (5 + 2 * channels)


BILATERAL = Operation(
    name="bilateral",
    label="Bilateral",
    help="Smooths what is of similar colour and keeps edges: each pixel becomes the mean of a disc, weighted "
    "by nearness in place and in colour. A NaN has no weight and stays.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.bilateralFilter for uint8 of 1 or 3 channels (without IPP, which rounds otherwise); its "
    "formula in double precision for the rest",
    parameters=(
        Parameter(
            "diameter", Kind.INT, "Of the disc.", default=9, minimum=3, maximum=63, unit="px", odd=True
        ),
        Parameter(
            "sigma_color",
            Kind.FLOAT,
            "Colours that differ by much more than this are not mixed; the sum of the channels' differences, "
            "in the image's own values. If left out a tenth of the type's range (25.5 for uint8).",
            minimum=0.001,
            maximum=65535,
        ),
        Parameter(
            "sigma_space",
            Kind.FLOAT,
            "Standard deviation of the bell curve over the disc.",
            default=3.0,
            minimum=0.1,
            maximum=100,
            unit="px",
        ),
    ),
    border=Border.MIRROR,
    cost=_cost,
    halo=_halo,
    stencil=_bilateral,
    table_bytes=_table_bytes,
    scratch=by_type(uint8=1, uint16=5, float32=4),
)
