"""Sharpening with the Laplacian: ``sharpen``."""

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.blocks import crop, in_groups, per_channel
from mpi_stage.operations.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.row_ends import is_leftover
from mpi_stage.operations.values import number

_GROUP = 4
"""Values that OpenCV computes at once with fused multiplications and additions."""


def _halo(_params: Params, _spec: ImageSpec) -> int:
    return 1


def _sharpen(block: Pixels, params: Params) -> Pixels:
    """Return the image plus ``amount`` times what it differs from its four neighbours."""
    a = number(params, "amount")
    kernel = np.array([[0, -a, 0], [-a, 1 + 4 * a, -a], [0, -a, 0]], np.float32)
    result = crop(_correlated(block, kernel), 1)
    if block.dtype != np.float32 and not a.is_integer():
        _redo_row_ends(result, block, kernel)
    return result


def _correlated(block: Pixels, kernel: Pixels) -> Pixels:
    return in_groups(block, lambda part: cv2.filter2D(part, -1, kernel, borderType=cv2.BORDER_REPLICATE))


def _redo_row_ends(result: Pixels, block: Pixels, kernel: Pixels) -> None:
    """Compute the last columns of ``result`` as OpenCV does in rows of this length.

    With whole amounts every product and sum is exact, and there is nothing to do.
    """
    columns, channels = result.shape[1:]
    last = min(_GROUP, columns)
    strip = block[:, -(last + 2) :]
    # With more columns to its right, none that is wanted is a leftover.
    wider = np.pad(strip, ((0, 0), (0, _GROUP), (0, 0)), mode="edge")
    grouped = _correlated(wider, kernel)[1:-1, 1 : 1 + last]
    leftover = is_leftover(columns, channels, _GROUP, last)
    result[:, columns - last :] = np.where(leftover, _one_by_one(strip, kernel), grouped)


def _one_by_one(strip: Pixels, kernel: Pixels) -> Pixels:
    """Return the correlation with each product and each sum rounded to float32."""
    rows, columns = strip.shape[0] - 2, strip.shape[1] - 2
    total = np.zeros((rows, columns, strip.shape[2]), np.float32)
    for y, x in zip(*np.nonzero(kernel), strict=True):
        total = total + strip[y : y + rows, x : x + columns].astype(np.float32) * kernel[y, x]
    return np.clip(np.rint(total), 0, np.iinfo(strip.dtype).max).astype(strip.dtype)


SHARPEN = Operation(
    name="sharpen",
    label="Sharpen",
    help="Adds what each pixel differs from its four neighbours. Amount 0 changes nothing.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.filter2D with [0 -a 0; -a 1+4a -a; 0 -a 0], a = amount",
    parameters=(Parameter("amount", Kind.FLOAT, "How much is added.", default=1.0, minimum=0, maximum=10),),
    border=Border.MIRROR,
    cost=lambda _params, spec: per_channel(spec, 0.5),
    halo=_halo,
    stencil=_sharpen,
)
