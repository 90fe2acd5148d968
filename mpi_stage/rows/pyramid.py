"""Smaller levels of an image, each half as large as the one before, made as its rows go by."""

from collections.abc import Callable

import numpy as np

from mpi_stage.image import ImageSpec, Pixels

Take = Callable[[int, Pixels], None]
Halve = Callable[[Pixels, Pixels], None]

_SUMS = {"uint8": np.uint16, "uint16": np.uint32}
_AT_ONCE_BYTES = 1 << 20
_VALID_FACTOR = 16
_OPENCV_CHANNELS = (1, 3, 4)


def halved(spec: ImageSpec, times: int = 1) -> ImageSpec:
    """Return the image of the level below, rounded up; ``times`` levels below."""
    for _ in range(times):
        spec = ImageSpec(-(-spec.rows // 2), -(-spec.columns // 2), spec.channels, spec.dtype)
    return spec


def halve(pixels: Pixels, out: Pixels) -> None:
    """Fill ``out`` with the means of 2 × 2 pixels; a last row or column without a partner stands for both.

    Integers are rounded to the nearest, halves up. Floats are added down, then across, then divided,
    so that the result depends on the four values alone.
    """
    rows = max(1, _AT_ONCE_BYTES // max(1, out[:1].nbytes))
    even = not pixels.shape[0] % 2 and not pixels.shape[1] % 2
    if even and pixels.dtype.name in _SUMS and pixels.shape[2] in _OPENCV_CHANNELS:
        _halve_even(pixels, out, rows)
        return
    for first in range(0, len(out), rows):
        part = out[first : first + rows]
        above, below = (
            pixels[2 * first : 2 * (first + len(part)) : 2],
            pixels[2 * first + 1 :: 2][: len(part)],
        )
        if len(below) < len(above):
            below = np.concatenate([below, above[-1:]])
        down = np.add(above, below, dtype=_SUMS.get(pixels.dtype.name, pixels.dtype))
        left, right = down[:, ::2], down[:, 1::2]
        if right.shape[1] < left.shape[1]:
            right = np.concatenate([right, left[:, -1:]], axis=1)
        if pixels.dtype.name in _SUMS:
            part[...] = (left + right + down.dtype.type(2)) >> 2
        else:
            np.multiply(left + right, pixels.dtype.type(0.25), out=part)


def _halve_even(pixels: Pixels, out: Pixels, rows: int) -> None:
    """Do as :func:`halve` does by OpenCV, which is four times as fast and rounds alike for these channels."""
    import cv2  # noqa: PLC0415 (plans of formats need sizes alone)

    for first in range(0, len(out), rows):
        part = out[first : first + rows]
        four = pixels[2 * first : 2 * (first + len(part))]
        part[...] = cv2.resize(four, part.shape[1::-1], interpolation=cv2.INTER_AREA).reshape(part.shape)


def pick(pixels: Pixels, out: Pixels) -> None:
    """Fill ``out`` with the upper left of 2 × 2 pixels, for values that have no mean, such as labels."""
    out[...] = pixels[::2, ::2]


def halve_valid(nodata: float) -> Halve:
    """Return what does as :func:`halve` does, leaving out values without data.

    Where all four are without data, so is the result; a mean that would by chance be the value for
    that becomes its neighbour.
    """

    def halve_some(pixels: Pixels, out: Pixels) -> None:
        # Sums and counts take eight bytes each, for every value.
        rows = max(1, _AT_ONCE_BYTES // _VALID_FACTOR // max(1, out[:1].nbytes))
        for first in range(0, len(out), rows):
            part = out[first : first + rows]
            _halve_valid(pixels[2 * first : 2 * (first + len(part))], part, nodata)

    return halve_some


def way_to_halve(spec: ImageSpec, nodata: float | None) -> Halve:
    """Return how levels of an image are made: labels are picked, values without data left out."""
    if spec.dtype == "uint32":
        return pick
    return halve if nodata is None else halve_valid(nodata)


def _halve_valid(pixels: Pixels, out: Pixels, nodata: float) -> None:
    """Fill ``out`` from its rows' pairs of rows."""
    pad = [(0, length % 2) for length in pixels.shape[:2]]
    whole = np.pad(pixels, [*pad, (0, 0)], "edge")
    valid = ~np.isnan(whole) if np.isnan(nodata) else whole != nodata
    kind = np.dtype(np.int32) if pixels.dtype.kind == "u" else pixels.dtype  # holds four of 16 bits
    values = np.where(valid, whole, 0).astype(kind)
    down, counts = values[::2] + values[1::2], valid[::2].astype(kind) + valid[1::2]
    sums, counts = down[:, ::2] + down[:, 1::2], counts[:, ::2] + counts[:, 1::2]
    some = counts > 0
    counts[~some] = 1
    if kind.kind == "i":
        means = ((2 * sums + counts) // (2 * counts)).astype(pixels.dtype)
        beside = nodata + 1 if nodata < np.iinfo(pixels.dtype).max else nodata - 1
    else:
        means, beside = (
            sums / counts,
            float(np.nextafter(pixels.dtype.type(nodata), np.inf, dtype=pixels.dtype)),
        )
    means[some & (means == nodata)] = beside
    out[...] = np.where(some, means, pixels.dtype.type(nodata))


class Halver:
    """Takes consecutive rows of one level and gives away those of the next; holds at most one row."""

    def __init__(self, spec: ImageSpec, take: Take, how: Halve = halve) -> None:
        """Expect rows of an image like ``spec``, from an even row on; ``take(first, rows)`` gets means."""
        self._spec, self._take, self._how = spec, take, how
        self._below = halved(spec)
        self._odd: Pixels | None = None

    def push(self, first: int, rows: Pixels) -> None:
        """Take the rows from ``first`` on, which follow those before."""
        if self._odd is not None:
            pair = np.concatenate([self._odd, rows[:1]])
            self._odd = None
            self._give((first - 1) // 2, pair)
            first, rows = first + 1, rows[1:]
        even = len(rows) - len(rows) % 2 if first + len(rows) < self._spec.rows else len(rows)
        if even:
            self._give(first // 2, rows[:even])
        if even < len(rows):
            self._odd = rows[even:].copy()

    def _give(self, first: int, rows: Pixels) -> None:
        made = self._below.empty(-(-len(rows) // 2))
        with np.errstate(invalid="ignore", over="ignore"):  # infinite floats have no mean, or an infinite one
            self._how(rows, made)
        self._take(first, made)


def halving_bytes(spec: ImageSpec, rows: int) -> int:
    """Return the most memory for making the next level of ``rows`` rows pushed at once."""
    return made_bytes(spec, rows) + max(10 * _AT_ONCE_BYTES, _VALID_FACTOR * 6 * spec.row_bytes)


def made_bytes(spec: ImageSpec, rows: int) -> int:
    """Return what of that is still held while the levels below are made: what was made, and odd rows."""
    return -(-rows // 2) * halved(spec).row_bytes + 3 * spec.row_bytes
