"""When to try again, and when to let it be: pure decisions."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 3600.0
MAX_TRIES = 16
"""With doubling pauses these take about five hours."""

LONGEST_REST_S = 60.0
"""A channel that has failed is left alone for at most so long by its other letters."""

OLDEST = timedelta(days=1)
"""A letter that cannot be sent is given up when it was posted so long ago, however few tries it had."""


def pause_s(tries: int, longest_s: float = LONGEST_PAUSE_S) -> float:
    """Return how long to wait after so many tries."""
    return 0.0 if tries < 1 else min(FIRST_PAUSE_S * 2.0 ** min(tries - 1, 30), longest_s)


def is_due(tries: int, failed_at: datetime | None, at: datetime) -> bool:
    """Whether the pause after a letter's last try is over."""
    return failed_at is None or at >= failed_at + timedelta(seconds=pause_s(tries))


def is_last(tries: int, posted_at: datetime, at: datetime) -> bool:
    """Whether a letter that has failed now is given up."""
    return tries >= MAX_TRIES or at - posted_at >= OLDEST


@dataclass
class Bucket:
    """Lets so many things happen in a minute, a minute's worth at once; 0 lets all. Times in seconds."""

    per_minute: int
    left: float = -1.0
    at_s: float = 0.0

    def take(self, at_s: float) -> bool:
        """Whether one more may happen now; if so it counts."""
        if self.per_minute <= 0:
            return True
        if self.left < 0:
            self.left, self.at_s = float(self.per_minute), at_s
        self.left = min(float(self.per_minute), self.left + (at_s - self.at_s) * self.per_minute / 60)
        self.at_s = at_s
        if self.left < 1:
            return False
        self.left -= 1
        return True
