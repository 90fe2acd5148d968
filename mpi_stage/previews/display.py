"""Pixels as people see them on a screen: bytes, of one to four channels, as a file that browsers show."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Stretch = tuple[float, float]
"""The values that are shown black and white."""

_COLOUR, _ALPHA = 3, 4
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
    """Return rows × columns (× 1, 3 or 4) bytes for the eye; 16 bit keeps the high byte.

    Of two channels the first is shown, of more than four the first three. ``stretch`` is what
    :func:`stretch_of` says of the picture that these pixels are compared with.
    """
    channels = pixels.shape[2] if pixels.ndim == 3 else 1  # noqa: PLR2004  (rows, columns, channels)
    if pixels.ndim == 3 and channels < _COLOUR:  # noqa: PLR2004
        pixels = pixels[:, :, 0]
    elif channels > _ALPHA:
        pixels = pixels[:, :, :_COLOUR]
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    values = _finite(pixels)
    if stretch is not None:
        low, high = stretch
        values = (values - low) / max(high - low, np.finfo(float).tiny)
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def picture_of(pixels: NDArray[Any], stretch: Stretch | None = None, *, exact: bool) -> tuple[str, bytes]:
    """Return the media type and the bytes of a picture, quickly made rather than small.

    One that need not be ``exact`` is a JPEG, a sixth of a PNG's size, unless it has an alpha channel.
    """
    shown = to_display(pixels, stretch)
    has_alpha = shown.ndim == 3 and shown.shape[2] == _ALPHA  # noqa: PLR2004  (as above)
    if shown.ndim == 3 and shown.shape[2] >= _COLOUR:  # noqa: PLR2004
        code = cv2.COLOR_RGBA2BGRA if has_alpha else cv2.COLOR_RGB2BGR
        shown = np.asarray(cv2.cvtColor(shown, code), np.uint8)
    kind = "png" if exact or has_alpha else "jpeg"
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1] if kind == "png" else [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    done, data = cv2.imencode(f".{kind}", shown, options)
    if not done:
        raise MemoryError(f"OpenCV could not encode a small {kind}")
    return f"image/{kind}", data.tobytes()


def _finite(pixels: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
