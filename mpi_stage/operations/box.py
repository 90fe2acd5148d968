"""The mean of a square neighbourhood: ``box``."""

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.blocks import crop, in_groups, per_channel
from mpi_stage.operations.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.values import integer


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "size") // 2


def _box(block: Pixels, params: Params) -> Pixels:
    """Return the means of ``size`` × ``size`` neighbourhoods."""
    size = integer(params, "size")
    if block.dtype == np.float32:
        return _float_means(block, size)
    return crop(
        in_groups(block, lambda part: cv2.blur(part, (size, size), borderType=cv2.BORDER_REPLICATE)),
        size // 2,
    )


def _float_means(block: Pixels, size: int) -> Pixels:
    """Return the means of floats, each from the sum of its own neighbourhood alone.

    ``cv2.blur`` keeps a running sum: what it rounded, or a NaN that it met, stays in the sum for all
    the rows that follow, so that the result would depend on where a block begins.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        sums = _window_sums(_window_sums(block.astype(np.float64), size, 0), size, 1)
        return (sums * (1 / (size * size))).astype(np.float32)


def _window_sums(values: Pixels, size: int, axis: int) -> Pixels:
    """Return the sums of ``size`` neighbours along ``axis``, in about 2·log2(size) additions each.

    Sums of 1, 2, 4, … neighbours are doubled, and those that make up ``size`` are added.
    """
    length = values.shape[axis] - size + 1
    doubled, width, offset = values, 1, 0
    total: Pixels | None = None
    while True:
        if size & width:
            part = _along(doubled, axis, offset, length)
            total = part if total is None else total + part
            offset += width
        if 2 * width > size:
            return values if total is None else total
        usable = doubled.shape[axis] - width
        doubled = _along(doubled, axis, 0, usable) + _along(doubled, axis, width, usable)
        width *= 2


def _along(values: Pixels, axis: int, start: int, length: int) -> Pixels:
    """Return ``length`` entries of one axis from ``start`` on, as a view."""
    part = slice(start, start + length)
    return values[part] if axis == 0 else values[:, part]


def _cost(_params: Params, spec: ImageSpec) -> float:
    return per_channel(spec, 4.0 if spec.dtype == "float32" else 0.7)


BOX = Operation(
    name="box",
    label="Box blur",
    help="The mean of a square around each pixel.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.blur",
    parameters=(
        Parameter(
            "size", Kind.INT, "Side of the square.", default=5, minimum=1, maximum=255, unit="px", odd=True
        ),
    ),
    aliases=("blur",),
    border=Border.MIRROR,
    cost=_cost,
    halo=_halo,
    stencil=_box,
)
