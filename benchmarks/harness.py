"""Runs two or more sides alternately and compares their medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, log

MIN_RUNS = 3
"""Fewer runs say nothing about their spread; a time budget does not go below."""

Sample = Mapping[str, float]
"""What one run of one side took: seconds by clock, for instance ``inside`` and ``whole``."""


def seconds(value: float) -> str:
    """Return seconds as text, to the millisecond below one second."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


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
        return f"{seconds(self.median)} ({seconds(self.low)}–{seconds(self.high)})"


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
    sides: Mapping[str, Callable[[], Sample]],
    runs: int,
    warm_ups: int = 1,
    budget_s: float | None = None,
) -> dict[str, dict[str, Series]]:
    """Run the sides in turn (A B A B …), so that a drift of the machine meets them alike.

    Parameters
    ----------
    sides: what to run, by name; each call does the work once and returns its clocks.
    runs: how often each side counts.
    warm_ups: rounds before, that do not count.
    budget_s: no further round begins when this much time is spent, once there are ``MIN_RUNS``.

    Returns
    -------
    For each side the series of each of its clocks.

    """
    for _ in range(warm_ups):
        for run in sides.values():
            run()
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    start = time.perf_counter()
    for turn in range(runs):
        if budget_s is not None and turn >= MIN_RUNS and time.perf_counter() - start > budget_s:
            break
        for name, run in sides.items():
            samples[name].append(run())
    return {
        name: {clock: Series(tuple(sample[clock] for sample in taken)) for clock in taken[0]}
        for name, taken in samples.items()
    }
