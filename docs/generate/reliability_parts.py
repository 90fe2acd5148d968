"""What the service is to be trusted by: each part of the harness, its figures, and what they must be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Number = int | float


def total(values: Sequence[Number]) -> Number:
    """Add up the slices of a part."""
    return sum(values)


def largest(values: Sequence[Number]) -> Number:
    """Return the worst of the slices of a part."""
    return max(values)


@dataclass(frozen=True)
class Figure:
    """A number that every run of a part reports, and the bounds that make it a pass.

    Attributes
    ----------
    name: the key in the result files.
    label: in words, with the unit.
    joined: how slices become one number.
    at_least, at_most: the bounds; None where the figure is only told.

    """

    name: str
    label: str
    joined: Callable[[Sequence[Number]], Number] = total
    at_least: Number | None = None
    at_most: Number | None = None

    def holds(self, value: Number) -> bool:
        """Whether a value is within the bounds."""
        enough = self.at_least is None or value >= self.at_least
        return enough and (self.at_most is None or value <= self.at_most)

    @property
    def bound(self) -> str:
        """The bounds in words."""
        low, high = self.at_least, self.at_most
        if low is not None and low == high:
            return f"{low:,}"
        bounds = [f"≥ {low:,}" if low is not None else "", f"≤ {high:,}" if high is not None else ""]
        return ", ".join(one for one in bounds if one) or "–"


@dataclass(frozen=True)
class Part:
    """One part of the harness.

    Attributes
    ----------
    name: what its result files begin with.
    title: of its section.
    how: sentences on what is done to the service.
    command: what runs it.
    figures: what it reports.
    plots: pictures in ``docs/reliability`` that it draws.

    """

    name: str
    title: str
    how: str
    command: str
    figures: tuple[Figure, ...]
    plots: tuple[str, ...] = ()


_ALL_FINE = (
    Figure("lost", "jobs lost", at_most=0, at_least=0),
    Figure("two_results", "jobs with two visible results", at_most=0, at_least=0),
    Figure("different", "outputs that differ from those of a quiet run", at_most=0, at_least=0),
)

PARTS = (
    Part(
        "chaos",
        "A thousand jobs under two hundred faults",
        "A steady stream of small jobs and of worlds of two ranks, and faults drawn at random from a seed:"
        " processes of every part killed with -9 or stopped and continued, Redis emptied or set back, the"
        " disk full or read-only. A fault is followed by the next when the service has work again. Each"
        " output's pixels are compared with those of `halorow run` without any fault.",
        "make chaos",
        (
            Figure("jobs", "jobs", at_least=1000),
            Figure("faults", "faults", at_least=200),
            *_ALL_FINE,
            Figure("attempts_again", "attempts beyond each job's first"),
        ),
    ),
)
"""In the order of the page."""
