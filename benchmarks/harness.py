"""Runs two or more sides alternately and compares their medians."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, log

Sample = Mapping[str, float]
"""What one run of one side took: seconds by clock, for instance ``inside`` and ``whole``."""


@dataclass(frozen=True)
class Series:
    """The seconds that one side took, run by run."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The shortest."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The longest."""
        return max(self.values)

    def __str__(self) -> str:
        """Median and range, in seconds."""
        return f"{self.median:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True)
class Ratio:
    """How often one side's time goes into another's: above 1 where ours is the faster.

    ``value`` is the ratio of the medians; ``low`` and ``high`` are the extremes of the ratios of the
    runs that followed each other.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Ratio and range."""
        return f"{self.value:.2f}× ({self.low:.2f}–{self.high:.2f})"


def ratio(theirs: Series, ours: Series) -> Ratio:
    """Compare two sides that were run alternately, equally often."""
    pairs = [theirs_s / ours_s for theirs_s, ours_s in zip(theirs.values, ours.values, strict=True)]
    return Ratio(theirs.median / ours.median, min(pairs), max(pairs))


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean of positive numbers, the mean that suits ratios."""
    return exp(sum(map(log, values)) / len(values))


def alternate(
    sides: Mapping[str, Callable[[], Sample]], runs: int, warm_ups: int = 1
) -> dict[str, dict[str, Series]]:
    """Run the sides in turn (A B A B …), so that a drift of the machine meets them alike.

    Parameters
    ----------
    sides: what to run, by name; each call does the work once and returns its clocks.
    runs: how often each side counts.
    warm_ups: rounds before, that do not count.

    Returns
    -------
    For each side the series of each of its clocks.

    """
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for turn in range(warm_ups + runs):
        for name, run in sides.items():
            sample = run()
            if turn >= warm_ups:
                samples[name].append(sample)
    return {
        name: {clock: Series(tuple(sample[clock] for sample in taken)) for clock in taken[0]}
        for name, taken in samples.items()
    }
