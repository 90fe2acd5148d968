"""The choice between a colour picture's brightness and each channel by itself."""

from collections.abc import Mapping

import cv2
import numpy as np

from mpi_stage.errors import UnsupportedImageError
from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import measured_channels
from mpi_stage.operations.declaring.declaration import Kind, Parameter, Params

CHANNELS = Parameter(
    "channels",
    Kind.CHOICE,
    "luma: the brightness of colour pictures, colours stay; each: every channel by itself.",
    default="luma",
    choices=("luma", "each"),
)


def is_luma(params: Params, channels: int) -> bool:
    """Whether Y of YCrCb is treated instead of each channel; for gray the two are the same."""
    return params["channels"] == "luma" and channels == COLOUR_CHANNELS


def check(name: str, params: Params, spec: ImageSpec) -> None:
    """Raise UnsupportedImageError where the operation ``name`` would need the luma of bands."""
    channels = measured_channels(spec)
    if params["channels"] == "luma" and channels not in {1, COLOUR_CHANNELS}:
        raise UnsupportedImageError(
            f"{name}:channels=luma takes 1, 3 or 4 channels, the image has {spec.channels}; "
            f"use {name}:channels=each"
        )


def width(spec: ImageSpec, params: Params) -> int:
    """Return how many channels are treated."""
    channels = measured_channels(spec)
    return 1 if is_luma(params, channels) else channels


def planes(rows: Pixels, params: Params) -> Pixels:
    """Return what is treated: luma as one channel, or all channels."""
    if is_luma(params, rows.shape[2]):
        return cv2.cvtColor(rows, cv2.COLOR_RGB2YCrCb)[:, :, :1]
    return rows


def cost(params: Params, spec: ImageSpec, value_ns: Mapping[str, float]) -> float:
    """Return the cost of a pixel in ns, given that of a value of each type; colour is turned and back."""
    conversion = (2.0 if spec.dtype == "uint8" else 6.0) if is_luma(params, measured_channels(spec)) else 0.0
    return conversion + width(spec, params) * value_ns[spec.dtype]


class Planes:
    """The treated channels of some rows, to be replaced one by one."""

    def __init__(self, rows: Pixels, params: Params) -> None:
        """Turn colour to YCrCb if that is what the parameters say."""
        self._is_luma = is_luma(params, rows.shape[2])
        self._rows = cv2.cvtColor(rows, cv2.COLOR_RGB2YCrCb) if self._is_luma else rows.copy()
        self.count = 1 if self._is_luma else rows.shape[2]

    def __getitem__(self, channel: int) -> Pixels:
        """Return rows × columns values of one treated channel, contiguous."""
        return np.ascontiguousarray(self._rows[:, :, channel])

    def __setitem__(self, channel: int, values: Pixels) -> None:
        """Replace one treated channel."""
        self._rows[:, :, channel] = values

    def joined(self) -> Pixels:
        """Return the rows, in the colours that they came in."""
        return cv2.cvtColor(self._rows, cv2.COLOR_YCrCb2RGB) if self._is_luma else self._rows
