"""Non-local means in double precision, for any type and number of channels.

Source: J. Froment, "Parameter-Free Fast Pixelwise Non-Local Means Denoising", IPOL 4 (2014), in the
form that scikit-image's ``denoise_nl_means`` has: the same windows, weights and cut-off. The sums of
squares over a patch are added in one order for all pixels, not taken from an integral image, so that a
block's place makes no difference.
"""

from collections.abc import Iterator

import numpy as np

from mpi_stage.image import Pixels

_CUT_OFF = 5.0
"""Patches farther apart than this, in squares of the strength, have no weight."""

_EXP_FACTOR = 2**20 / np.log(2)
_EXP_BIAS = 1023 * 2**20 - 60801
_LOW_BITS = 32
"""The exponential function by its bits, with a bias of least mean error: N. N. Schraudolph, "A Fast,
Compact Approximation of the Exponential Function", Neural Computation 11 (1999). It is within 4 %, and
the same on every machine."""

_TILE_ROWS, _TILE_COLUMNS = 64, 256
"""What is worked on at once: its planes stay in cache."""


def non_local_means(block: Pixels, patch: int, search: int, strength: float) -> Pixels:
    """Return the means of pixels with similar surroundings, in double precision, without the halo.

    Parameters
    ----------
    block: with ``patch // 2 + search // 2`` rows and columns of halo on each side.
    patch, search: odd sides, in px.
    strength: how far patches may be apart, in the block's values.

    Pixels of which a NaN or infinity is within the patch stay as they are, and have no weight for others.

    """
    halo = patch // 2 + search // 2
    rows, columns, channels = block.shape[0] - 2 * halo, block.shape[1] - 2 * halo, block.shape[2]
    result = np.empty((rows, columns, channels))
    for y in range(0, rows, _TILE_ROWS):
        for x in range(0, columns, _TILE_COLUMNS):
            part = block[y : y + _TILE_ROWS + 2 * halo, x : x + _TILE_COLUMNS + 2 * halo]
            planes = np.ascontiguousarray(np.moveaxis(part, 2, 0), np.float64)
            means = _tile_means(planes, patch, search, strength)
            result[y : y + _TILE_ROWS, x : x + _TILE_COLUMNS] = np.moveaxis(means, 0, 2)
    return result


def _tile_means(planes: Pixels, patch: int, search: int, strength: float) -> Pixels:
    """Return the means of one tile (channels × rows × columns).

    Two patches are as far from each other as the other way round: each distance is used for both.
    """
    reach, halo = search // 2, patch // 2 + search // 2
    channels, rows, columns = planes.shape[0], planes.shape[1] - 2 * halo, planes.shape[2] - 2 * halo
    finite = np.nan_to_num(planes, nan=0, posinf=0, neginf=0)
    sums, total = np.zeros((channels, rows, columns)), np.zeros((rows, columns))
    scale = 1 / (channels * (patch * strength) ** 2)
    with np.errstate(invalid="ignore", over="ignore"):
        for y, x in _half(reach):
            weights = _weights(planes, patch, halo, (y, x), scale)
            # Those of the tile's pixels with the one at (y, x), then of those at (-y, -x) with them.
            ahead = weights[max(y, 0) :, max(x, 0) :][:rows, :columns]
            _add(sums, total, ahead, finite[:, halo + y :, halo + x :])
            if y or x:
                behind = weights[max(-y, 0) :, max(-x, 0) :][:rows, :columns]
                _add(sums, total, behind, finite[:, halo - y :, halo - x :])
        centre = planes[:, halo : halo + rows, halo : halo + columns]
        means: Pixels = np.where(total > 0, np.divide(sums, total, where=total > 0, out=sums), centre)
    return means


def _half(reach: int) -> Iterator[tuple[int, int]]:
    """Yield one of each two opposite places of the searched square, the middle first."""
    yield from ((0, x) for x in range(reach + 1))
    yield from ((y, x) for y in range(1, reach + 1) for x in range(-reach, reach + 1))


def _add(sums: Pixels, total: Pixels, weights: Pixels, planes: Pixels) -> None:
    rows, columns = total.shape
    total += weights
    for channel, plane in enumerate(planes):
        sums[channel] += weights * plane[:rows, :columns]


def _weights(planes: Pixels, patch: int, halo: int, shift: tuple[int, int], scale: float) -> Pixels:
    """Return the weights of pixels and those ``shift`` away from them.

    For the tile's pixels and, beyond it, for those of which a shifted one is in the tile.
    """
    y, x = shift
    # scikit-image's window leaves out the first row and column of the patch.
    side = patch - 1
    top, left = halo - max(y, 0) - patch // 2 + 1, halo - max(x, 0) - patch // 2 + 1
    rows = planes.shape[1] - 2 * halo + abs(y) + side - 1
    columns = planes.shape[2] - 2 * halo + abs(x) + side - 1
    squares = np.zeros((rows, columns))
    for plane in planes:
        here = plane[top : top + rows, left : left + columns]
        there = plane[top + y : top + y + rows, left + x : left + x + columns]
        difference = here - there
        difference *= difference
        squares += difference
    distances = _even_window_sums(_even_window_sums(squares, side, 0), side, 1)
    distances *= scale
    near = distances <= _CUT_OFF
    bits = (np.where(near, distances, 0) * -_EXP_FACTOR).astype(np.int64)
    bits += _EXP_BIAS
    bits <<= _LOW_BITS
    weights: Pixels = bits.view(np.float64)
    weights *= near
    return weights


def _even_window_sums(values: Pixels, size: int, axis: int) -> Pixels:
    """Return the sums of ``size`` neighbours along ``axis``, added in a fixed order."""
    length = values.shape[axis] - size + 1
    total: Pixels | None = None
    for start in range(size):
        part = values[start : start + length] if axis == 0 else values[:, start : start + length]
        total = part.copy() if total is None else np.add(total, part, out=total)
    return values if total is None else total
