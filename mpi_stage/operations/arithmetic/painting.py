"""Drawing marks over a picture."""

import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import COLOUR_CHANNELS, Pixels

Where = NDArray[np.bool_] | tuple[NDArray[np.intp], NDArray[np.intp]]


def paint(pixels: Pixels, where: Where) -> None:
    """Mark pixels (rows × columns × 1, 3 or 4 channels), in place: red, or white on gray; alpha stays.

    ``where`` is a mask, or rows and columns.
    """
    white = 1.0 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
    # Plane by plane: a mask with fewer axes than the pixels is turned into two numbers for each mark.
    planes = COLOUR_CHANNELS if pixels.shape[2] >= COLOUR_CHANNELS else 1
    for channel, value in zip(range(planes), (white, 0, 0), strict=False):
        pixels[..., channel][where] = value
