"""WebP images in TIFF segments."""

from typing import Any

import imagecodecs
import numpy as np

from mpi_stage.formats.raster.webp_header import image_size
from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS, Pixels

_codecs: Any = imagecodecs  # its stubs know of no memoryviews


def decode_webp(raw: memoryview, target: Pixels) -> None:
    """Decode ``raw`` into ``target`` (rows × columns × 3 or 4); an image without alpha is opaque.

    Raises ValueError where it is of another size, RuntimeError where it does not decode.
    """
    rows, columns, channels = target.shape
    found = image_size(raw)
    if found != (rows, columns):
        raise ValueError(f"it holds {found[1]} × {found[0]} px")
    pixels = _codecs.webp_decode(raw, hasalpha=channels == ALPHA_CHANNELS)
    target[..., : pixels.shape[2]] = pixels[..., :channels]
    if pixels.shape[2] < channels:
        target[..., COLOUR_CHANNELS] = np.iinfo(target.dtype).max
