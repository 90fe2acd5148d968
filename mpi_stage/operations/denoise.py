"""Removing noise by similar places elsewhere: ``denoise``.

Source: A. Buades, B. Coll, J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005.
"""

import cv2
import numpy as np

from mpi_stage.image import COLOUR_CHANNELS, ImageSpec, Pixels
from mpi_stage.operations.arithmetic.blocks import crop, measured_channels
from mpi_stage.operations.arithmetic.patches import non_local_means
from mpi_stage.operations.declaring.declaration import Border, Kind, Operation, Parameter, Params, Pattern
from mpi_stage.operations.declaring.scratch import by_type
from mpi_stage.operations.declaring.values import integer, number

_OPENCV_GRAY_BYTES, _OPENCV_COLOUR_BYTES = 2.0, 5.0
"""For each value: copies with a border and, of colour, lightness and hues before and after."""
_DISTANCE_BYTES = 4.8
"""OpenCV's sums of a column, for each place that is searched: whole numbers, and some to spare."""

_DEFAULT_FRACTION = 10 / 255  # of the type's range

_MEANS_BYTES = by_type(uint8=17, uint16=14, float32=6)


def _halo(params: Params, _spec: ImageSpec) -> int:
    return integer(params, "search") // 2 + integer(params, "patch") // 2


def _strength(params: Params, dtype: str) -> float:
    if params["strength"] is not None:
        return number(params, "strength")
    return _DEFAULT_FRACTION * ImageSpec(1, 1, 1, dtype).value_range


def _denoise(block: Pixels, params: Params) -> Pixels:
    """Return the means of pixels whose surroundings look alike."""
    patch, search = integer(params, "patch"), integer(params, "search")
    strength = _strength(params, str(block.dtype))
    if _by_opencv(str(block.dtype), block.shape[2]):
        # What OpenCV makes up around the block only reaches what is cut off.
        clean = _opencv(block, patch, search, strength).reshape(block.shape)
        return crop(clean, patch // 2 + search // 2)
    means = non_local_means(block, patch, search, strength)
    return (means if block.dtype == np.float32 else np.rint(means)).astype(block.dtype)


def _by_opencv(dtype: str, channels: int) -> bool:
    return dtype == "uint8" and channels in {1, COLOUR_CHANNELS}


def _opencv(block: Pixels, patch: int, search: int, strength: float) -> Pixels:
    if block.shape[2] == 1:
        return cv2.fastNlMeansDenoising(block, None, strength, patch, search)
    # OpenCV takes the blue channel first.
    turned = cv2.cvtColor(block, cv2.COLOR_RGB2BGR)
    clean = cv2.fastNlMeansDenoisingColored(turned, None, strength, strength, patch, search)
    return cv2.cvtColor(clean, cv2.COLOR_BGR2RGB)


def _cost(params: Params, spec: ImageSpec) -> float:
    area = integer(params, "search") ** 2
    channels = measured_channels(spec)
    if _by_opencv(spec.dtype, channels):
        return (5 if channels == 1 else 9) * area
    return area * (5 + 0.5 * integer(params, "patch") + 3 * channels)


def _scratch(params: Params, spec: ImageSpec) -> float:
    channels = measured_channels(spec)
    if _by_opencv(spec.dtype, channels):
        return _OPENCV_GRAY_BYTES if channels == 1 else _OPENCV_COLOUR_BYTES
    return _MEANS_BYTES(params, spec)


def _table_bytes(params: Params, spec: ImageSpec) -> int:
    if not _by_opencv(spec.dtype, measured_channels(spec)):
        return 0
    columns = spec.columns + 2 * _halo(params, spec) + integer(params, "patch")
    return int(columns * integer(params, "search") ** 2 * _DISTANCE_BYTES)


DENOISE = Operation(
    name="denoise",
    label="Denoise (non-local means)",
    help="Removes noise and keeps texture: each pixel becomes the mean of those nearby whose surroundings "
    "look alike. Slow. A NaN has no weight for others, and pixels with one in their patch stay.",
    family="smoothing",
    pattern=Pattern.STENCIL,
    reference="cv2.fastNlMeansDenoising and, for colour, fastNlMeansDenoisingColored for uint8; else "
    "skimage.restoration.denoise_nl_means in double precision",
    parameters=(
        Parameter(
            "strength",
            Kind.FLOAT,
            "About the noise's standard deviation, in the image's own values: more removes more noise and "
            "more detail. If left out 10/255 of the type's range.",
            minimum=0.001,
            maximum=65535,
        ),
        Parameter(
            "patch",
            Kind.INT,
            "Side of the surroundings that are compared.",
            default=7,
            minimum=3,
            maximum=21,
            unit="px",
            odd=True,
        ),
        Parameter(
            "search",
            Kind.INT,
            "Side of the square in which similar places are looked for.",
            default=21,
            minimum=3,
            maximum=51,
            unit="px",
            odd=True,
        ),
    ),
    border=Border.MIRROR,
    cost=_cost,
    halo=_halo,
    stencil=_denoise,
    scratch=_scratch,
    table_bytes=_table_bytes,
)
