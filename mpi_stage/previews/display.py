"""Pixels as people see them on a screen: bytes, of one to four channels, as a file that browsers show."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS

Stretch = tuple[float, float]
"""The values that are shown black and white."""

_QUALITY = 90
_AS_THEY_ARE = ("uint8", "uint16")


def stretch_of(pixels: NDArray[Any]) -> Stretch | None:
    """Return the values between which ``pixels`` are to be shown; None for those that need no stretching.

    Floats within 0 to 1 are shown as they are; values beyond that, and other types (``uint32`` labels), from
    their minimum to their maximum.
    """
    if pixels.dtype.name in _AS_THEY_ARE or pixels.size == 0:
        return None
    low, high = (float(end(_finite(pixels))) for end in (np.min, np.max))
    return None if pixels.dtype.kind == "f" and low >= 0 and high <= 1 else (low, high)


def to_display(pixels: NDArray[Any], stretch: Stretch | None = None) -> NDArray[np.uint8]:
    """Return bytes for the eye: rows × columns, × 3 or 4 of colours; 16 bit keeps the high byte.

    ``stretch`` is what :func:`stretch_of` says of the picture that these pixels are compared with.
    """
    pixels = flat(visible(pixels))
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    values = _finite(pixels)
    if stretch is not None:
        low, high = stretch
        values = (values - low) / max(high - low, np.finfo(float).tiny)
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def visible(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the channels that are seen, 1, 3 or 4: of two the first, of more than four the first three."""
    channels = pixels.shape[2]
    if channels < COLOUR_CHANNELS:
        return pixels[:, :, :1]
    return pixels if channels <= ALPHA_CHANNELS else pixels[:, :, :COLOUR_CHANNELS]


def flat(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return rows × columns of gray, which has an axis of its own else."""
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def picture_of(pixels: NDArray[Any], stretch: Stretch | None = None, *, exact: bool) -> tuple[str, bytes]:
    """Return the media type and the bytes of a picture.

    One that need not be ``exact`` is a JPEG, a sixth of a PNG's size, unless it has an alpha channel.
    """
    shown = to_display(pixels, stretch)
    kind = "png" if exact or shown.shape[2:] == (ALPHA_CHANNELS,) else "jpeg"
    return f"image/{kind}", encoded(shown, kind)


def encoded(shown: NDArray[np.uint8], kind: str) -> bytes:
    """Return bytes for the eye as a ``png``, quickly made rather than small, or as a ``jpeg``."""
    if shown.shape[2:]:
        code = cv2.COLOR_RGBA2BGRA if shown.shape[2] == ALPHA_CHANNELS else cv2.COLOR_RGB2BGR
        shown = np.asarray(cv2.cvtColor(shown, code), np.uint8)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1] if kind == "png" else [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    done, data = cv2.imencode(f".{kind}", shown, options)
    if not done:
        raise MemoryError(f"OpenCV could not encode a small {kind}")
    return data.tobytes()


def _finite(pixels: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
