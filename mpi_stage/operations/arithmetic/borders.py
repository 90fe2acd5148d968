"""What lies outside an image, as a map of indices."""

import numpy as np
from numpy.typing import NDArray

from mpi_stage.image import Pixels
from mpi_stage.operations.declaring.declaration import Border

OUTSIDE = -1


def border_index(length: int, before: int, after: int, border: Border) -> NDArray[np.intp]:
    """Map the positions ``-before … length + after - 1`` of an axis to positions inside it.

    The reach may exceed ``length`` many times. With ``Border.CONSTANT`` positions outside map to
    :data:`OUTSIDE`. Returns an array of ``before + length + after`` indices.
    """
    return inside(np.arange(-before, length + after, dtype=np.intp), length, border)


def inside(positions: NDArray[np.intp], length: int, border: Border) -> NDArray[np.intp]:
    """Map some positions of an axis of ``length`` to positions inside it, as :func:`border_index` does."""
    if border is Border.CONSTANT:
        return np.where((positions < 0) | (positions >= length), OUTSIDE, positions)
    if border is Border.NEAREST or length == 1:
        return np.clip(positions, 0, length - 1)
    if border is Border.WRAP:
        return positions % length
    if border is Border.REFLECT:
        folded = positions % (2 * length)
        return np.minimum(folded, 2 * length - 1 - folded)
    period = 2 * (length - 1)
    folded = positions % period
    return np.minimum(folded, period - folded)


class ColumnBorder:
    """Fills the halo columns of padded rows, in place."""

    def __init__(self, columns: int, halo: int, border: Border, fill: float) -> None:
        """Prepare for rows of ``columns`` pixels with ``halo`` more on either side."""
        self._columns = columns
        self._halo = halo
        self._fill = fill if border is Border.CONSTANT else None
        index = border_index(columns, halo, halo, border) + halo
        self._left = index[:halo]
        self._right = index[halo + columns :]

    def fill(self, padded: Pixels) -> None:
        """Fill both sides of ``padded`` (rows × (columns + 2·halo) × channels) from its middle."""
        if not self._halo:
            return
        if self._fill is not None:
            padded[:, : self._halo] = self._fill
            padded[:, self._halo + self._columns :] = self._fill
        else:
            padded[:, : self._halo] = padded[:, self._left]
            padded[:, self._halo + self._columns :] = padded[:, self._right]
