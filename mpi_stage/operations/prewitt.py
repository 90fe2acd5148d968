"""How steep the picture is, by plain differences: ``prewitt`` and ``roberts``.

Sources: J. M. S. Prewitt, "Object Enhancement and Extraction", 1970; L. G. Roberts, "Machine
Perception of Three-Dimensional Solids", 1963.
"""

import cv2
import numpy as np

from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.arithmetic.edges import edge_operation
from mpi_stage.operations.declaring.declaration import Params

_DIFFERENCE = np.array([-1, 0, 1], np.float32)
_SUM = np.array([1, 1, 1], np.float32)


def _halo(_params: Params, _spec: ImageSpec) -> int:
    return 1


def _prewitt(block: Pixels, _params: Params, axis: str) -> Pixels:
    across, down = (_DIFFERENCE, _SUM) if axis == "x" else (_SUM, _DIFFERENCE)
    return cv2.sepFilter2D(block, cv2.CV_32F, across, down, borderType=cv2.BORDER_REPLICATE)


def _roberts(block: Pixels, _params: Params, axis: str) -> Pixels:
    """Return the difference along one diagonal of the 2 × 2 pixels below and right of each."""
    values = block[:, :, 0].astype(np.float32)
    result = np.zeros_like(values)
    if axis == "x":
        result[:-1, :-1] = values[:-1, :-1] - values[1:, 1:]
    else:
        result[:-1, :-1] = values[:-1, 1:] - values[1:, :-1]
    return result


PREWITT = edge_operation(
    name="prewitt",
    label="Prewitt",
    help_text="How steep the gray picture is, from the plain differences of three neighbouring pairs. "
    "Colour is turned to gray first.",
    reference="hypot of cv2.sepFilter2D with [-1 0 1] and [1 1 1] in float32 of the gray picture, rounded "
    "and saturated",
    axes="from left to right (x) or top to bottom (y)",
    derivative=_prewitt,
    halo=_halo,
    weights=lambda _params: (1, 1),
)

ROBERTS = edge_operation(
    name="roberts",
    label="Roberts cross",
    help_text="How steep the gray picture is, from the two diagonals of 2 × 2 pixels: the sharpest of the "
    "edge operators, and the most sensitive to noise. Colour is turned to gray first.",
    reference="hypot of cv2.filter2D with [1 0; 0 -1] and [0 1; -1 0] in float32 of the gray picture, "
    "rounded and saturated",
    axes="along the diagonal to the lower right (x) or to the lower left (y)",
    derivative=_roberts,
    halo=_halo,
)
