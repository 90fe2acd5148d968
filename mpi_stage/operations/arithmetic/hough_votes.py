"""Votes of edge pixels for straight lines, and the lines that most agree on.

Source: R. Duda and P. Hart, "Use of the Hough Transformation to Detect Lines and Curves in Pictures",
CACM 15 (1972). The grid, the roundings, what is a peak and the order of lines are those of
``cv2.HoughLines``: its arithmetic is in float32, which is why this is too.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Votes = NDArray[np.int32]


@dataclass(frozen=True)
class Line:
    """The pixels at distance ``rho`` px from the top left, ``theta`` radians from the x axis; its votes."""

    rho: float
    theta: float
    votes: int


class Grid:
    """The lines that are voted for: ``angles`` times ``distances``.

    The votes of a band of angles are an array with a row per angle and a column per distance, and a
    column of zeros at either side, where peaks look for neighbours.
    """

    def __init__(self, rows: int, columns: int, rho: float, theta: float) -> None:
        """Lay a grid for an image; ``rho`` in pixels and ``theta`` in radians are its steps."""
        self._rho, self._theta = np.float32(rho), np.float32(theta)
        self.distances = int(np.rint(np.float32(2 * (rows + columns) + 1) / self._rho))
        self._middle = (self.distances - 1) // 2 + 1
        self.angles = _angle_count(float(self._theta))
        steps = np.full(self.angles, self._theta, np.float32)
        steps[0] = 0
        turns = np.add.accumulate(steps, dtype=np.float32).tolist()  # one float32 addition after the other
        inverse = float(np.float32(1) / self._rho)
        self._across = np.array([math.cos(turn) * inverse for turn in turns], np.float32)
        self._down = np.array([math.sin(turn) * inverse for turn in turns], np.float32)

    def empty(self, first: int, end: int) -> Votes:
        """Return no votes yet for the angles ``first`` up to ``end``; beyond the ends there are zeros."""
        return np.zeros((end - first, self.distances + 2), np.int32)

    def vote(self, votes: Votes, first: int, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
        """Add the votes of edge pixels to a band of angles that begins at ``first``."""
        down, across = rows.astype(np.float32), columns.astype(np.float32)
        for place, band in enumerate(votes):
            angle = first + place
            if not 0 <= angle < self.angles or not len(rows):
                continue
            found = np.rint(across * self._across[angle] + down * self._down[angle]).astype(np.intp)
            found += self._middle
            low = int(found.min())
            counts = np.bincount(found - low)
            band[low : low + len(counts)] += counts.astype(np.int32)

    def peaks(self, votes: Votes, first: int, threshold: int, most: int) -> NDArray[np.int64]:
        """Return the ``most`` best peaks of a band, less its outermost angles, as votes and number (n × 2).

        ``votes`` is of the angles from ``first`` on.
        """
        inner = votes[1:-1, 1:-1]
        where = inner > threshold
        where &= (inner > votes[1:-1, :-2]) & (inner >= votes[1:-1, 2:])
        where &= (inner > votes[:-2, 1:-1]) & (inner >= votes[2:, 1:-1])
        angles, distances = np.nonzero(where)
        numbers = (angles + first + 2).astype(np.int64) * (self.distances + 2) + distances + 1
        return best(np.stack([inner[angles, distances].astype(np.int64), numbers], axis=1), most)

    def line(self, votes: int, number: int) -> Line:
        """Return the line that a peak stands for."""
        angle, distance = divmod(number, self.distances + 2)
        rho = np.float32(distance - self._middle) * self._rho
        return Line(float(rho), float(np.float32(angle - 1) * self._theta), votes)


def best(peaks: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return the ``most`` peaks with most votes, best first; of equals, the one of smaller number."""
    if len(peaks) > most:
        least = np.partition(peaks[:, 0], -most)[-most]
        peaks = peaks[peaks[:, 0] >= least]
    return peaks[np.lexsort((peaks[:, 1], -peaks[:, 0]))[:most]]


def _angle_count(theta: float) -> int:
    """Return the number of angles from 0 to π; π itself, where it would be met again, is left out."""
    count = math.floor(math.pi / theta) + 1
    return count - 1 if count > 1 and abs(math.pi - (count - 1) * theta) < theta / 2 else count
