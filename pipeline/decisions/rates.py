"""How fast work gets done and comes in, from samples of the ledger; pure."""

from dataclasses import dataclass, replace
from typing import Self

from pipeline.models import Backlog

PRIOR_CORE_S = 10.0
"""Core-seconds for which the cost model is believed, before anything has been measured."""


@dataclass(frozen=True)
class Rates:
    """What is measured over a window of time.

    Attributes
    ----------
    window_s: its length.
    samples: time in seconds, by a clock that never goes back, and what the ledger said; oldest first.

    """

    window_s: float
    samples: tuple[tuple[float, Backlog], ...] = ()

    def with_sample(self, at_s: float, backlog: Backlog) -> Self:
        """Return these with one more sample, without those that the window has passed but for the last.

        Where the sums have begun anew, since Redis has lost its data, so do the samples.
        """
        samples = self.samples
        if samples and backlog.spent_s < samples[-1][1].spent_s:
            samples = ()
        passed = sum(1 for one_s, _ in samples if one_s <= at_s - self.window_s)
        return replace(self, samples=(*samples[max(0, passed - 1) :], (at_s, backlog)))

    @property
    def speed(self) -> float:
        """Core-seconds of the cost model that one core has done in a second; about 1 until measured."""
        before, now = self._ends
        done, spent_s = now.done.core_s - before.done.core_s, now.spent_s - before.spent_s
        return (done + PRIOR_CORE_S) / (spent_s + PRIOR_CORE_S)

    @property
    def arriving(self) -> float:
        """Core-seconds of the cost model that have come in per second, averaged over the whole window."""
        before, now = self._ends
        todo, done = now.todo.core_s - before.todo.core_s, now.done.core_s - before.done.core_s
        return max(0.0, todo + done) / self.window_s

    @property
    def _ends(self) -> tuple[Backlog, Backlog]:
        return (self.samples[0][1], self.samples[-1][1]) if self.samples else (Backlog(), Backlog())
