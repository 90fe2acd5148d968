"""Operations on each pixel's colour: ``invert``, ``grayscale``, ``saturation``."""

import cv2
import numpy as np

from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.blocks import per_channel
from mpi_stage.operations.declaration import Channels, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.values import number

UINT16_WHITE = 65535


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


def _saturation(rows: Pixels, params: Params) -> Pixels:
    """Scale S of HSV, in the type itself for 8 bits and floats, through floats for 16 bits."""
    factor = number(params, "factor")
    if rows.dtype == np.uint8:
        return _saturation_uint8(rows, factor)
    if rows.dtype == np.uint16:
        white = np.float32(UINT16_WHITE)
        result = _saturation_float(np.divide(rows, white, dtype=np.float32), factor)
        return np.clip(np.rint(result * white), 0, UINT16_WHITE).astype(np.uint16)
    return _saturation_float(rows, factor)


def _saturation_uint8(rows: Pixels, factor: float) -> Pixels:
    hsv = cv2.cvtColor(rows, cv2.COLOR_RGB2HSV)
    table = np.clip(np.rint(np.arange(256) * factor), 0, 255).astype(np.uint8)
    hsv[:, :, 1] = table[hsv[:, :, 1]]
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _saturation_float(rows: Pixels, factor: float) -> Pixels:
    hsv = cv2.cvtColor(rows, cv2.COLOR_RGB2HSV)
    hsv[:, :, 1] = np.clip(hsv[:, :, 1] * np.float32(factor), 0, 1)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _to_gray(spec: ImageSpec, _params: Params) -> ImageSpec:
    return spec.with_channels(1)


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
    output=_to_gray,
    point=_grayscale,
)

SATURATION = Operation(
    name="saturation",
    label="Saturation",
    help="Makes colours stronger (factor above 1) or weaker (below 1; 0 is gray): scales S of HSV.",
    family="colour",
    pattern=Pattern.POINT,
    reference="cv2 RGB→HSV, S scaled and clipped, HSV→RGB (8-bit: H in 0–179); 16-bit through float",
    parameters=(
        Parameter(
            "factor",
            Kind.FLOAT,
            "What the saturation is multiplied by; 1 leaves it.",
            default=1.5,
            minimum=0,
            maximum=10,
        ),
    ),
    channels=Channels.COLOUR,
    cost=lambda _params, spec: 4.0 if spec.dtype == "uint8" else 8.0,
    point=_saturation,
)
