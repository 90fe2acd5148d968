"""Each colour as a sum of all three: ``matrix`` and ``sepia``."""

import cv2
import numpy as np

from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.declaring.declaration import Channels, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import number

_TAIL_PX = 64
"""More pixels than OpenCV leaves to the end of a call, with any vector width."""

_SEPIA = np.array(((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131)))
"""The matrix that is common for this effect; its rows make red, green and blue."""


def transformed(rows: Pixels, weights: Pixels) -> Pixels:
    """Return ``cv2.transform`` of rows × columns × 3 pixels, the same for a pixel wherever it stands.

    OpenCV takes groups of pixels at once, and rounds those left over at the end in another way. They
    are computed again here, with more pixels after them.
    """
    pixels = rows.reshape(1, -1, COLOUR_CHANNELS)
    tail = min(_TAIL_PX, pixels.shape[1])
    longer = np.zeros((1, tail + _TAIL_PX, COLOUR_CHANNELS), rows.dtype)
    longer[:, :tail] = pixels[:, -tail:]
    result = cv2.transform(pixels, weights)
    result[:, -tail:] = cv2.transform(longer, weights)[:, :tail]
    return result.reshape(rows.shape)


def _matrix(rows: Pixels, params: Params) -> Pixels:
    return transformed(rows, np.array(params["values"], np.float64).reshape(COLOUR_CHANNELS, -1))


def _sepia(rows: Pixels, params: Params) -> Pixels:
    strength = number(params, "strength")
    return transformed(rows, np.eye(COLOUR_CHANNELS) * (1 - strength) + _SEPIA * strength)


def _cost(_params: Params, spec: ImageSpec) -> float:
    return {"uint8": 0.6, "uint16": 0.9}.get(spec.dtype, 0.7)


MATRIX = Operation(
    name="matrix",
    label="Colour matrix",
    help="Makes each colour of a pixel from a weighted sum of its red, green and blue.",
    family="colour",
    pattern=Pattern.POINT,
    reference="cv2.transform",
    parameters=(
        Parameter(
            "values",
            Kind.NUMBERS,
            "9 numbers: how much red, green and blue go into the new red, then into green, then into blue; "
            "or 12, where each fourth one is added, in the image's own values.",
            required=True,
            counts=(9, 12),
        ),
    ),
    channels=Channels.COLOUR,
    cost=_cost,
    point=_matrix,
)

SEPIA = Operation(
    name="sepia",
    label="Sepia",
    help="Tones the picture brown, like an old photograph.",
    family="colour",
    pattern=Pattern.POINT,
    reference="cv2.transform with a fixed matrix, mixed with the picture",
    parameters=(
        Parameter(
            "strength",
            Kind.FLOAT,
            "How much of the effect: 0 leaves the picture, 1 is all of it.",
            default=1.0,
            minimum=0,
            maximum=1,
        ),
    ),
    channels=Channels.COLOUR,
    cost=_cost,
    point=_sepia,
)
