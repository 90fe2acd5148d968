"""Which values of a row OpenCV computes one at a time, and so rounds in another way.

OpenCV goes through a row of values in groups, with vector instructions, and through what is left at
its end one by one. Where both ways round differently (fused against separate multiplication and
addition, single against double precision), the result near the right edge depends on the row's
length. The engine's padded rows are longer than the image's, so that a kernel computes the last
columns again, each value in the way that a call on the image itself would have used.
"""

import numpy as np
from numpy.typing import NDArray


def is_leftover(columns: int, channels: int, group: int, last: int) -> NDArray[np.bool_]:
    """Say of each value in the last columns whether it lies beyond the last whole group of its row.

    Parameters
    ----------
    columns, channels: of the image, without halo.
    group: values that OpenCV takes at once.
    last: how many columns to look at, at most ``columns``.

    Returns
    -------
    last × channels.

    """
    values = columns * channels
    index = np.arange(values - last * channels, values).reshape(last, channels)
    return index >= values - values % group
