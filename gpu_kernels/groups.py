"""How many values OpenCV takes at once on this CPU: those left over at the end of a row round otherwise."""

from functools import lru_cache

import cv2
import numpy as np

_PROBED_PX = 255
_PROBED_HSV = (15, 100, 77)
"""A pixel of bytes that is rounded in a group and by itself to different colours."""

_FLOAT_BYTES = 4


@lru_cache(maxsize=1)
def byte_group() -> int:
    """Return how many pixels of bytes OpenCV takes at once when it turns hues back into colours."""
    row = np.tile(np.array(_PROBED_HSV, np.uint8), (1, _PROBED_PX, 1))
    turned = cv2.cvtColor(row, cv2.COLOR_HSV2RGB)[0]
    alike = int((turned == turned[0]).all(axis=1).sum())
    return _PROBED_PX - alike + 1  # of a power of two all but one are left over


def float_group() -> int:
    """Return how many floats it takes at once: vectors are as wide."""
    return byte_group() // _FLOAT_BYTES
