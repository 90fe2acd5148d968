"""What operations share: cropping halos, feeding OpenCV any number of channels, costs and outputs."""

from collections.abc import Callable, Iterator

import numpy as np

from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.declaring.declaration import Params

_DIRECT_CHANNELS = (1, 3, 4)


def measured_channels(spec: ImageSpec) -> int:
    """Return the number of channels that a kernel sees: all but alpha."""
    return COLOUR_CHANNELS if spec.has_alpha else spec.channels


def per_channel(spec: ImageSpec, cost_ns: float) -> float:
    """Return the cost of one pixel in ns, given that of one value of ``uint8``; wider types cost more."""
    return measured_channels(spec) * cost_ns * (1 if spec.itemsize == 1 else 2)


def to_gray(spec: ImageSpec, _params: Params) -> ImageSpec:
    """Return the image with one channel: the ``output`` of what leaves gray alone."""
    return spec.with_channels(1)


def crop(block: Pixels, halo: int) -> Pixels:
    """Cut ``halo`` rows and columns off every side and return a contiguous copy."""
    if halo == 0:
        return np.ascontiguousarray(block)
    return np.ascontiguousarray(block[halo:-halo, halo:-halo])


def in_groups(block: Pixels, call: Callable[[Pixels], Pixels]) -> Pixels:
    """Apply an OpenCV ``call`` that keeps size and channels, in groups of channels that it takes.

    OpenCV drops the last axis of one-channel images, and some of its filters refuse more than four
    channels, or two. Every channel is treated by itself, so that grouping does not change the result.
    """
    rows, columns, channels = block.shape
    if channels in _DIRECT_CHANNELS:
        return call(block).reshape(rows, columns, channels)
    parts = [call(np.ascontiguousarray(block[:, :, group])) for group in _groups(channels)]
    return np.concatenate([part.reshape(rows, columns, -1) for part in parts], axis=2)


def _groups(channels: int) -> Iterator[slice]:
    """Cut ``channels`` into groups of four, the rest one by one."""
    start = 0
    while start < channels:
        width = ALPHA_CHANNELS if channels - start >= ALPHA_CHANNELS else 1
        yield slice(start, start + width)
        start += width
