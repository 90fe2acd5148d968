"""Mirrored and turned pixels, whatever they consist of."""

import cv2
import numpy as np

from mpi_stage.image import Pixels

_FLIPS = {"horizontal": 1, "vertical": 0}
_TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}

_PIXEL_BYTES = (1, 2, 3, 4, 6, 8, 12, 16)
"""Sizes of pixels that OpenCV moves, in all of its functions, whatever they consist of."""


def flip(pixels: Pixels, axis: str, out: Pixels) -> None:
    """Fill ``out`` with pixels mirrored ``horizontal`` or ``vertical``."""
    if _is_known(pixels):
        cv2.flip(_as_bytes(pixels), _FLIPS[axis], _as_bytes(out))
    else:
        out[...] = np.flip(pixels, _FLIPS[axis])


def turn(pixels: Pixels, turns: int, out: Pixels) -> None:
    """Fill ``out`` with pixels turned by 1, 2 or 3 quarters, counter-clockwise, as ``numpy.rot90`` does."""
    if _is_known(pixels):
        cv2.rotate(_as_bytes(pixels), _TURNS[turns], _as_bytes(out))
    else:
        out[...] = np.rot90(pixels, turns)


def _is_known(pixels: Pixels) -> bool:
    return pixels.shape[2] * pixels.itemsize in _PIXEL_BYTES


def _as_bytes(pixels: Pixels) -> Pixels:
    """Return the same memory as rows × columns × bytes of a pixel, or without the third axis if it is one."""
    view = pixels.view(np.uint8)
    return view[:, :, 0] if view.shape[2] == 1 else view
