"""Which marks of the outbox are left alone for now, and which of their faults have been told of."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pipeline.notify import pace


@dataclass
class _Rest:
    """How long a mark is left alone, what was wrong with it last, and how often in a row."""

    until_s: float = 0.0
    fault: str = ""
    times: int = 0


class Rests:
    """What is remembered of marks while the notifier lives; for one thread.

    A mark that cannot be read stays, for a newer release or an operator to see to: nothing of it is lost.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet; ``clock`` gives seconds and never goes back."""
        self._clock = clock
        self._known: dict[str, _Rest] = {}

    def is_resting(self, mark: str) -> bool:
        """Whether a mark is to be left alone."""
        return mark in self._known and self._clock() < self._known[mark].until_s

    def rest(self, mark: str, seconds: float) -> None:
        """Leave a mark alone for so long."""
        self._known.setdefault(mark, _Rest()).until_s = self._clock() + seconds

    def fail(self, mark: str, fault: str, *, passes: bool) -> bool:
        """Take note that a mark could not be passed on; return whether that is another fault than the last.

        Unless it ``passes`` by itself, the mark is left alone, for longer each time.
        """
        known = self._known.setdefault(mark, _Rest())
        is_new, known.fault, known.times = known.fault != fault, fault, known.times + 1
        if not passes:
            self.rest(mark, pace.pause_s(known.times, pace.LONGEST_REST_S))
        return is_new

    def forget(self, mark: str) -> None:
        """Forget a mark: one of that name is a new one."""
        self._known.pop(mark, None)

    def forget_all_but(self, marks: Collection[str]) -> None:
        """Forget the marks that are there no more."""
        self._known = {mark: known for mark, known in self._known.items() if mark in marks}
