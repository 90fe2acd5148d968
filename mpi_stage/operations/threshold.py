"""Comparing each value with a fixed one: ``threshold``."""

from typing import Any

import cv2
import numpy as np

from mpi_stage.image import Pixels
from mpi_stage.operations.arithmetic.blocks import per_channel
from mpi_stage.operations.declaring.declaration import Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.values import number

_MODES = {
    "binary": cv2.THRESH_BINARY,
    "binary_inv": cv2.THRESH_BINARY_INV,
    "trunc": cv2.THRESH_TRUNC,
    "to_zero": cv2.THRESH_TOZERO,
    "to_zero_inv": cv2.THRESH_TOZERO_INV,
}


def _threshold(rows: Pixels, params: Params) -> Pixels:
    """Return the rows after the comparison; white is that of the type."""
    value, mode = number(params, "value"), str(params["mode"])
    if rows.dtype == np.float32:
        return _threshold_float(rows, np.float32(value), mode)
    white = float(np.iinfo(rows.dtype).max)
    # No integer lies beyond these, and OpenCV turns the threshold into an int.
    value = min(max(value, -1.0), white)
    flat = rows.reshape(rows.shape[0], -1)
    return cv2.threshold(flat, value, white, _MODES[mode])[1].reshape(rows.shape)


def _threshold_float(rows: Pixels, value: np.float32, mode: str) -> Pixels:
    """Return what OpenCV's scalar rule gives; a NaN is never above the threshold."""
    above = np.greater(rows, value)
    zero, white = np.float32(0), np.float32(1)
    choices: dict[str, tuple[Any, Any]] = {
        "binary": (white, zero),
        "binary_inv": (zero, white),
        "trunc": (value, rows),
        "to_zero": (rows, zero),
        "to_zero_inv": (zero, rows),
    }
    yes, no = choices[mode]
    result: Pixels = np.where(above, yes, no)
    return result


THRESHOLD = Operation(
    name="threshold",
    label="Threshold",
    help="Compares each value of each channel with a fixed one.",
    family="threshold",
    pattern=Pattern.POINT,
    reference="cv2.threshold",
    parameters=(
        Parameter(
            "value",
            Kind.FLOAT,
            "The value to compare with, in the image's own values (uint8 to 255, uint16 to 65535, floats "
            "as they are); for integers its fraction is dropped.",
            required=True,
        ),
        Parameter(
            "mode",
            Kind.CHOICE,
            "binary: above is white, else black; binary_inv: the reverse; trunc: above becomes the value; "
            "to_zero: not above becomes black; to_zero_inv: above becomes black.",
            default="binary",
            choices=tuple(_MODES),
        ),
    ),
    cost=lambda _params, spec: per_channel(spec, 0.05),
    point=_threshold,
)
