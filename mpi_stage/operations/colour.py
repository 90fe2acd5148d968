"""Operations on each pixel's colour: ``invert``, ``grayscale``."""

import cv2
import numpy as np

from mpi_stage.image import COLOUR_CHANNELS, Pixels
from mpi_stage.operations.arithmetic.blocks import per_channel, to_gray
from mpi_stage.operations.declaring.declaration import Channels, Operation, Params, Pattern


def _invert(rows: Pixels, _params: Params) -> Pixels:
    """Return white minus each value."""
    return np.subtract(np.float32(1), rows) if rows.dtype == np.float32 else np.invert(rows)


def _grayscale(rows: Pixels, _params: Params) -> Pixels:
    """Return one channel, the luma of the first three; gray rows pass."""
    if rows.shape[2] == 1:
        return rows
    # OpenCV's conversion from RGBA rounds floats otherwise than that from RGB.
    colour = np.ascontiguousarray(rows[:, :, :COLOUR_CHANNELS])
    return cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)[:, :, np.newaxis]


def _grayscale_into(rows: Pixels, _params: Params, out: Pixels) -> bool:
    """Put the gray of RGB rows into ``out``."""
    if rows.shape[2] != COLOUR_CHANNELS:
        return False
    cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY, dst=out[:, :, 0])
    return True


INVERT = Operation(
    name="invert",
    label="Invert",
    help="Turns light into dark: white minus each value (1 minus it for floats). Alpha stays.",
    family="colour",
    pattern=Pattern.POINT,
    reference="cv2.bitwise_not for integers; 1 - v for floats",
    cost=lambda _params, spec: per_channel(spec, 0.05),
    point=_invert,
)

GRAYSCALE = Operation(
    name="grayscale",
    label="Grayscale",
    help="Turns colour into one channel of gray: 0.299 R + 0.587 G + 0.114 B. Drops alpha; gray passes.",
    family="colour",
    pattern=Pattern.POINT,
    reference="cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)",
    channels=Channels.GRAY_OR_COLOUR,
    cost=lambda _params, spec: 0.01 if spec.channels == 1 else 0.25 * spec.itemsize,
    output=to_gray,
    point=_grayscale,
    into=_grayscale_into,
)
