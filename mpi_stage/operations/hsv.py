"""Operations on hue and saturation: ``saturation``, ``hue``."""

from collections.abc import Callable

import cv2
import numpy as np

from mpi_stage.image import DTYPES, Pixels
from mpi_stage.operations.declaring.declaration import Channels, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import number

UINT16_WHITE = 65535
_TURN_DEGREES = 360
_UINT8_HUES = 180
"""OpenCV holds the hue of 8-bit pictures in steps of 2 degrees, 0–179."""


def _through_hsv(rows: Pixels, change: Callable[[Pixels], None]) -> Pixels:
    """Let ``change`` alter H, S and V in place, in the type itself; 16 bits go through floats."""
    if rows.dtype == np.uint16:
        white = np.float32(UINT16_WHITE)
        result = _through_hsv(np.divide(rows, white, dtype=np.float32), change)
        return np.clip(np.rint(result * white), 0, UINT16_WHITE).astype(np.uint16)
    hsv = cv2.cvtColor(rows, cv2.COLOR_RGB2HSV)
    change(hsv)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _saturation(rows: Pixels, params: Params) -> Pixels:
    """Scale S."""
    factor = number(params, "factor")

    def scale(hsv: Pixels) -> None:
        if hsv.dtype == np.uint8:
            table = np.clip(np.rint(np.arange(256) * factor), 0, 255).astype(np.uint8)
            hsv[:, :, 1] = table[hsv[:, :, 1]]
        else:
            hsv[:, :, 1] = np.clip(hsv[:, :, 1] * np.float32(factor), 0, 1)

    return _through_hsv(rows, scale)


def _hue(rows: Pixels, params: Params) -> Pixels:
    """Turn H."""
    degrees = number(params, "degrees")

    def turn(hsv: Pixels) -> None:
        if hsv.dtype == np.uint8:
            steps = round(degrees * _UINT8_HUES / _TURN_DEGREES)
            table = ((np.arange(256) + steps) % _UINT8_HUES).astype(np.uint8)
            hsv[:, :, 0] = table[hsv[:, :, 0]]
        else:
            turned = hsv[:, :, 0] + np.float32(degrees)
            turned[turned < 0] += _TURN_DEGREES
            turned[turned >= _TURN_DEGREES] -= _TURN_DEGREES
            hsv[:, :, 0] = turned

    return _through_hsv(rows, turn)


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
    row_bound=DTYPES,
    cost=lambda _params, spec: 4.0 if spec.dtype == "uint8" else 8.0,
    point=_saturation,
    scratch=by_type(uint8=1, uint16=10.5, float32=4.2),
)

HUE = Operation(
    name="hue",
    label="Hue",
    help="Turns all colours around the colour wheel: by 120 degrees red becomes green, green blue and blue "
    "red. Grays stay.",
    family="colour",
    pattern=Pattern.POINT,
    reference="cv2 RGB→HSV, H turned, HSV→RGB (8-bit: H in 0–179); 16-bit through float",
    parameters=(
        Parameter(
            "degrees",
            Kind.FLOAT,
            "How far the colours are turned; for 8-bit pictures rounded to 2 degrees.",
            default=30.0,
            minimum=-180,
            maximum=180,
            unit="degrees",
        ),
    ),
    channels=Channels.COLOUR,
    row_bound=DTYPES,
    cost=lambda _params, spec: 5.0 if spec.dtype == "uint8" else 15.0,
    point=_hue,
    scratch=by_type(uint8=1, uint16=10.5, float32=4.2),
)
