"""The middle value of a square, found by a fixed sequence of minima and maxima.

Columns are sorted, neighbouring ones merged, pairs of pairs merged, and so on; each of these sorted runs
serves all squares that contain it. Of the last merges only what bears on the middle value is carried out.
Sorting and merging networks: K. E. Batcher, "Sorting networks and their applications", AFIPS 1968; Knuth,
*The Art of Computer Programming* 3, 5.3.4. Runs shared between windows: A. Adams, "Fast median filters
using separable sorting networks", ACM Transactions on Graphics 40 (2021).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BOTH, LESSER, GREATER = 0, 1, 2
"""What an exchange of places (a, b) leaves: the lesser in a and the greater in b, or one of these alone."""

Exchange = tuple[int, int, int]
"""What it leaves, a, b."""


@dataclass(frozen=True)
class Stage:
    """Runs joined into a longer one: ``columns`` columns of values, sorted, or the middle value alone.

    ``runs`` are the stages whose results are joined, and by how many columns each is shifted; without
    any, the values of a column are sorted. They fill the stage's places one after the other. ``order``
    are the places that hold the result after the ``exchanges``, in ascending order of what they hold.
    """

    columns: int
    runs: tuple[tuple[int, int], ...]
    exchanges: tuple[Exchange, ...]
    order: tuple[int, ...]


@lru_cache
def stages(size: int) -> tuple[Stage, ...]:
    """Return how to find the middle of ``size`` × ``size`` values, ``size`` odd and above 1."""
    exchanges: list[Exchange] = []
    order = _sort(list(range(size)), exchanges)
    found = {1: Stage(1, (), tuple(exchanges), tuple(order))}
    half = size // 2
    numbers = {1: 0}
    for columns in _widths(half):
        left = -(-columns // 2)
        runs = ((numbers[left], 0), (numbers[columns - left], left))
        numbers[columns] = len(found)
        found[columns] = _joined(columns, runs, left * size)
    return (*found.values(), _middle(size, ((numbers[half], 0), (numbers[half], half), (0, size - 1))))


def _widths(columns: int) -> list[int]:
    """Return the widths above 1 of the runs of which one is made by halves, its own included, in order."""
    if columns == 1:
        return []
    left = -(-columns // 2)
    return sorted({*_widths(left), *_widths(columns - left), columns})


def _joined(columns: int, runs: tuple[tuple[int, int], ...], left: int) -> Stage:
    """Return the stage that joins two runs, of which the first has ``left`` values."""
    exchanges: list[Exchange] = []
    count = left // -(-columns // 2) * columns
    order = _merge(list(range(left)), list(range(left, count)), exchanges)
    return Stage(columns, runs, tuple(exchanges), tuple(order))


def _middle(size: int, runs: tuple[tuple[int, int], ...]) -> Stage:
    """Return the last stage, which joins two runs of half the columns and the last column."""
    half, count = size // 2 * size, size * size
    exchanges: list[Exchange] = []
    joined = _merge(list(range(half)), list(range(half, 2 * half)), exchanges)
    place = _select(joined, list(range(2 * half, count)), count // 2, exchanges)
    return Stage(size, runs, _needed(exchanges, place), (place,))


def _sort(places: list[int], exchanges: list[Exchange]) -> list[int]:
    if len(places) < 2:  # noqa: PLR2004  (one is sorted)
        return places
    half = len(places) // 2
    return _merge(_sort(places[:half], exchanges), _sort(places[half:], exchanges), exchanges)


def _merge(one: list[int], other: list[int], exchanges: list[Exchange]) -> list[int]:
    """Join two sorted runs by Batcher's odd-even merge; return the places of the result in order."""
    if not one or not other:
        return one or other
    if len(one) == len(other) == 1:
        exchanges.append((BOTH, one[0], other[0]))
        return [one[0], other[0]]
    odd = _merge(one[::2], other[::2], exchanges)
    even = _merge(one[1::2], other[1::2], exchanges)
    order = [odd[0]]
    for a, b in zip(odd[1:], even, strict=False):
        exchanges.append((BOTH, a, b))
        order += [a, b]
    return order + odd[len(even) + 1 :] + even[len(odd) - 1 :]


def _select(one: list[int], other: list[int], rank: int, exchanges: list[Exchange]) -> int:
    """Find the value of a rank (from 0) in two sorted runs; return its place.

    It is the least, over all ways to take rank + 1 values from the lower ends, of the greatest taken.
    """
    candidates = []
    for taken in range(len(other) + 1):
        left = rank + 1 - taken
        if not 0 <= left <= len(one):
            continue
        if taken and left:
            exchanges.append((GREATER, one[left - 1], other[taken - 1]))
        candidates.append(other[taken - 1] if taken else one[left - 1])
    exchanges += [(LESSER, candidates[0], candidate) for candidate in candidates[1:]]
    return candidates[0]


def _needed(exchanges: Sequence[Exchange], place: int) -> tuple[Exchange, ...]:
    """Leave out what has no bearing on what is in ``place`` in the end."""
    live, kept = {place}, []
    for kind, a, b in reversed(exchanges):
        lesser, greater = kind != GREATER and a in live, kind != LESSER and b in live
        if kind == LESSER:
            if lesser:
                kept.append((kind, a, b))
                live |= {a, b}
        elif kind == GREATER:
            if greater:
                kept.append((kind, a, b))
                live |= {a, b}
        elif lesser or greater:
            kept.append((BOTH if lesser and greater else LESSER if lesser else GREATER, a, b))
            live |= {a, b}
    return tuple(reversed(kept))


@lru_cache
def program(size: int) -> NDArray[np.int32]:
    """Return the stages as the compiled kernel takes them: numbers, n × 1 × 1."""
    numbers = [size, len(stages(size)), *(number for stage in stages(size) for number in _spelled(stage))]
    return np.array(numbers, np.int32).reshape(-1, 1, 1)


def _spelled(stage: Stage) -> Iterator[int]:
    yield from (stage.columns, len(stage.runs), len(stage.exchanges), len(stage.order))
    for part in (*stage.runs, *stage.exchanges):
        yield from part
    yield from stage.order
