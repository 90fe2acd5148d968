"""What the header of a file of one image gives, and how gray gets the axes that everything else expects."""

from dataclasses import dataclass

import numpy as np

from mpi_stage.formats.headers import Metadata
from mpi_stage.image import ImageSpec, Pixels

_GRAY_ALPHA = 2


@dataclass(frozen=True)
class Parsed:
    """What a header gave.

    ``extra_bytes_per_px`` is what the decoder holds at once for each pixel, beside the pixels themselves and
    the file's bytes: coefficients, or pixels in a layout of its own.
    """

    spec: ImageSpec
    metadata: Metadata
    extra_bytes_per_px: int = 0


def spread(pixels: Pixels) -> Pixels:
    """Give gray (rows × columns) its axis, and gray with alpha its four channels."""
    found: Pixels = pixels.reshape(*pixels.shape[:2], -1)
    if found.shape[2] != _GRAY_ALPHA:
        return found
    four = np.empty((*found.shape[:2], 4), found.dtype)
    four[..., :3] = found[..., :1]
    four[..., 3] = found[..., 1]
    return four
