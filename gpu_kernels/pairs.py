"""Morphology that compares two versions of a picture: ``gradient``, ``tophat``, ``blackhat``.

The versions lie side by side as channels: the first's, an alpha channel if there is one, the second's.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gpu_kernels.extrema import shape_macros
from gpu_kernels.stencils import CHUNK_ROWS, LONG_CHUNK_ROWS, REGISTERS, Stencil, march
from gpu_kernels.step import Step

_COLOURS, _WITH_ALPHA = 3, 4
_PAIR_WITH_ALPHA = _WITH_ALPHA + _COLOURS
_NOTHING = -1
_DILATE, _ERODE, _KEEP = "dilate", "erode", "keep"
_LIGHT_ROWS = 3
"""Up to so many rows of a shape the memory is the limit."""

_MOST_WORDS = 8
"""Of a strip, where it holds more pixels than fill words."""


class _Made(NamedTuple):
    """What one channel of the result is: an extremum or value, less another one or nothing."""

    plus: int
    minus: int = _NOTHING


class _Halves(NamedTuple):
    """The channels of a pair: the first picture's colours, its alpha channel, the second's colours."""

    first: range
    alpha: range
    second: range


def fork(step: Step) -> Stencil | None:
    """Make two versions of one picture."""
    colours = _COLOURS if step.channels == _WITH_ALPHA else step.channels
    first, second = str(step.params["first"]), str(step.params["second"])
    ways = [way for way in (_DILATE, _ERODE) if way in {first, second}]
    kept = len(ways) * step.channels

    def version(way: str) -> list[_Made]:
        start = kept if way == _KEEP else ways.index(way) * step.channels
        return [_Made(start + channel) for channel in range(colours)]

    alpha = [_Made(kept + channel) for channel in range(colours, step.channels)]
    flipped = [way == _ERODE for way in ways for _ in range(step.channels)]
    return _pairs(step, flipped, [*version(first), *alpha, *version(second)])


def both(step: Step) -> Stencil | None:
    """Take both versions a step further."""
    halves, kept = _halves(step), step.channels
    first, second = str(step.params["first"]), str(step.params["second"])
    made = [_Made(channel + (kept if first == _KEEP else 0)) for channel in halves.first]
    made += [_Made(kept + channel) for channel in halves.alpha]
    made += [_Made(channel + (kept if second == _KEEP else 0)) for channel in halves.second]
    return _pairs(step, _flipped(step, first, second), made)


def gradient(step: Step) -> Stencil | None:
    """Subtract the least from the greatest value of a neighbourhood, of one picture or of a pair."""
    if step.channels == step.channels_after:
        colours = _COLOURS if step.keeps_alpha else step.channels
        made = [_Made(channel, step.channels + channel) for channel in range(colours)]
        made += [_Made(2 * step.channels + channel) for channel in range(colours, step.channels)]
        return _pairs(step, [False] * step.channels + [True] * step.channels, made)
    return _compared(step, _flipped(step, _DILATE, _ERODE), first_kept=False)


def tophat(step: Step) -> Stencil | None:
    """Subtract the dilation of the second from the first."""
    return _compared(step, _flipped(step, _KEEP, _DILATE), first_kept=True)


def blackhat(step: Step) -> Stencil | None:
    """Subtract the first from the erosion of the second."""
    return _compared(step, _flipped(step, _KEEP, _ERODE), first_kept=True, turned=True)


def _halves(step: Step) -> _Halves:
    has_alpha = step.channels == _PAIR_WITH_ALPHA
    colours = _COLOURS if has_alpha else step.channels // 2
    start = _WITH_ALPHA if has_alpha else colours
    return _Halves(range(colours), range(colours, start), range(start, step.channels))


def _flipped(step: Step, first: str, second: str) -> list[bool]:
    """Return of which channels of a pair minima are wanted."""
    halves = _halves(step)
    return [(second if channel in halves.second else first) == _ERODE for channel in range(step.channels)]


def _compared(
    step: Step, flipped: Sequence[bool], *, first_kept: bool, turned: bool = False
) -> Stencil | None:
    """Subtract one half of a pair from the other, the first from the second if ``turned``."""
    halves, kept = _halves(step), step.channels
    pairs = zip(halves.first, halves.second, strict=True)
    parts = [(one + (kept if first_kept else 0), other) for one, other in pairs]
    made = [_Made(other, one) if turned else _Made(one, other) for one, other in parts]
    return _pairs(step, flipped, [*made, *(_Made(kept + channel) for channel in halves.alpha)])


def _pairs(step: Step, flipped: Sequence[bool], made: Sequence[_Made]) -> Stencil | None:
    """Return the kernel; ``flipped`` says for each side and channel whether minima are wanted."""
    shape = shape_macros(step)
    if shape is None:
        return None
    macros = {
        **shape,
        "SIDES": len(flipped) // step.channels,
        "FLIPPED": [int(one) for one in flipped],
        "OUT": len(made),
        "PLUS": [one.plus for one in made],
        "MINUS": [one.minus for one in made],
        "ALPHA": False,  # an alpha channel is one of those that are kept
    }
    rows = int(str(shape["ROWS"]))
    words = _words(step, rows * len(flipped) // step.channels)
    chunk = CHUNK_ROWS if rows <= _LIGHT_ROWS else LONG_CHUNK_ROWS
    return march(step, "pairs", "lanes pairs", words, macros, chunk_rows=chunk)


def _words(step: Step, pending: int) -> int:
    """Return how many words wide a strip is: whole pixels that fill whole words of the result too."""
    lanes_each = 2 if step.itemsize == 1 else 1
    for times in (4, 2):
        words = times * step.channels
        if words <= _MOST_WORDS and words * lanes_each * pending <= REGISTERS:
            return words
    return step.channels
