"""Which channels there are, and in which order: ``rgb`` and ``channels``."""

import cv2
import numpy as np

from mpi_stage.errors import ParameterError
from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.declaring.declaration import Channels, Kind, Operation, Parameter, Params, Pattern


def _rgb(rows: Pixels, _params: Params) -> Pixels:
    """Return gray three times; colour passes."""
    return rows if rows.shape[2] != 1 else cv2.cvtColor(rows, cv2.COLOR_GRAY2RGB)


def _to_rgb(spec: ImageSpec, _params: Params) -> ImageSpec:
    return spec.with_channels(COLOUR_CHANNELS) if spec.channels == 1 else spec


def _selected(params: Params) -> list[int]:
    numbers = params["select"]
    if not isinstance(numbers, tuple):
        message = f"select should be a list of numbers, is {numbers!r}"
        raise TypeError(message)
    return [int(number) for number in numbers]


def _channels(rows: Pixels, params: Params) -> Pixels:
    selected = _selected(params)
    result = np.empty((*rows.shape[:2], len(selected)), rows.dtype)
    for place, channel in enumerate(selected):
        result[:, :, place] = rows[:, :, channel]
    return result


def _check(params: Params, spec: ImageSpec) -> None:
    missing = [number for number in _selected(params) if number >= spec.channels]
    if missing:
        message = f"channels are numbered 0 to {spec.channels - 1} here, select names {missing[0]}"
        raise ParameterError(message)


RGB = Operation(
    name="rgb",
    label="Gray to RGB",
    help="Gives a gray picture three equal channels, so that colour operations take it. Colour passes.",
    family="colour",
    pattern=Pattern.POINT,
    reference="cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)",
    channels=Channels.GRAY_OR_COLOUR,
    cost=lambda _params, spec: 0.01 if spec.channels > 1 else 0.1 * spec.itemsize,
    output=_to_rgb,
    point=_rgb,
)

CHANNELS = Operation(
    name="channels",
    label="Select channels",
    help="Picks channels, in any order and as often as you like: 2,1,0 exchanges red and blue, 0 keeps red "
    "alone, 0,1,2 drops alpha.",
    family="colour",
    pattern=Pattern.POINT,
    reference="numpy indexing: image[:, :, select]",
    parameters=(
        Parameter(
            "select",
            Kind.NUMBERS,
            "Numbers of channels, counted from 0: of colour pictures 0 is red, 1 green, 2 blue, 3 alpha.",
            required=True,
            minimum=0,
            whole=True,
        ),
    ),
    sees_alpha=True,
    cost=lambda params, _spec: 0.4 * len(_selected(params)),
    output=lambda spec, params: spec.with_channels(len(_selected(params))),
    check=_check,
    point=_channels,
)
