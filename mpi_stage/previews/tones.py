"""Which values are shown black and white, and how often each value is there: of a reduced copy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import ALPHA_CHANNELS, COLOUR_CHANNELS
from mpi_stage.previews.display import Stretch, flat, visible

BINS = 128
_TAILS = (0.1, 99.9)


def stretch_for(pixels: NDArray[Any]) -> Stretch | None:
    """Return the values between which an image is shown, None where bytes are shown as they are.

    Of 16 bit and of floats beyond 0 to 1 all but the darkest and the brightest thousandth lie between them;
    floats within 0 to 1 are shown from 0 to 1, labels from their least to their greatest.
    """
    if pixels.dtype == np.uint8 or pixels.size == 0:
        return None
    values = _seen(pixels)
    if pixels.dtype == np.uint32:
        return float(values.min()), float(values.max())
    low, high = (float(value) for value in np.percentile(values, _TAILS))
    if pixels.dtype.kind == "f" and values.min() >= 0 and values.max() <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low, low + 1)


def shown(pixels: NDArray[Any], stretch: Stretch | None) -> NDArray[np.uint8]:
    """Return bytes for the eye: rows × columns, × 3 or 4 of colours."""
    pixels = visible(pixels)
    if stretch is not None:
        low, high = stretch
        alpha = pixels[:, :, COLOUR_CHANNELS:] if pixels.shape[2] == ALPHA_CHANNELS else None
        values = np.nan_to_num(pixels.astype(np.float32), posinf=high, neginf=low)
        values = (values - low) * np.float32(255 / max(high - low, 1e-30))
        if alpha is not None and pixels.dtype == np.uint16:
            values[:, :, COLOUR_CHANNELS:] = alpha >> 8
        pixels = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return np.ascontiguousarray(flat(pixels))


def histogram(pixels: NDArray[Any]) -> dict[str, Any]:
    """Return how many pixels of each channel have values in each of the bins from ``low`` to ``high``."""
    values = _seen(pixels)
    low, high = (0.0, 256.0) if pixels.dtype == np.uint8 else (float(values.min()), float(values.max()))
    if high <= low:
        high = low + 1
    channels = min(pixels.shape[2], COLOUR_CHANNELS)
    counts = [
        np.histogram(np.nan_to_num(pixels[:, :, channel].astype(np.float64)), BINS, (low, high))[0].tolist()
        for channel in range(channels if channels == COLOUR_CHANNELS else 1)
    ]
    return {"low": low, "high": high, "counts": counts}


def _seen(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the values that are seen, finite."""
    channels = pixels.shape[2]
    wanted = pixels[:, :, : COLOUR_CHANNELS if channels >= COLOUR_CHANNELS else 1]
    return np.nan_to_num(wanted.astype(np.float64), posinf=0.0, neginf=0.0)
