"""Who is served next within a lane: pure decisions, without clock or I/O.

Users share a band (high, normal or low priority) by start-time fair queueing (Goyal, Vin and Cheng,
SIGCOMM 1996): a job's tag is where its user's last job ends in virtual time, or the present if that is
later, and the lowest tag is next. While two users both have jobs waiting, what they have been given
differs by no more than their two largest jobs, however many jobs either has put there.

Bands are served from the highest, but each time a band is passed over it ages, and one that was passed
over :data:`PATIENCE` times is next. The Lua scripts of ``pipeline.redis.scripts`` decide the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

BANDS = 3
"""High, normal and low priority."""

PATIENCE = 8
"""How often a band with waiting jobs is passed over in favour of a higher one."""

COST_PX = 1_000_000
"""Pixels that cost one unit of a user's share: about what a job costs beside its pixels."""


def band_of(priority: int) -> int:
    """Return the band of a priority, from 0: above 0 high, 0 normal, below 0 low."""
    if priority > 0:
        return 0
    return 1 if priority == 0 else 2


def cost_of(pixels: int) -> float:
    """Return what a job of so many pixels costs its user's share; at least 1, also where it is unknown."""
    return max(1.0, pixels / COST_PX)


def next_band(waiting: Sequence[bool], passed: Sequence[int]) -> int | None:
    """Return the band to serve, None where nothing waits.

    Parameters
    ----------
    waiting: whether anything waits in each band, from the highest.
    passed: how often each has been passed over since it was served, see :func:`passed_over`.

    """
    there = [band for band, waits in enumerate(waiting) if waits]
    aged = [band for band in there if passed[band] >= PATIENCE]
    if aged:
        return max(aged, key=lambda band: (passed[band], -band))
    return there[0] if there else None


def passed_over(waiting: Sequence[bool], passed: Sequence[int], served: int) -> list[int]:
    """Return ``passed`` after ``served`` was: lower bands in which something waits have aged."""
    return [
        0 if band == served else count + (band > served and waiting[band])
        for band, count in enumerate(passed)
    ]


@dataclass
class Shares:
    """The virtual time of one band, and where in it each user's jobs end so far."""

    present: float = 0.0
    ends: dict[str, float] = field(default_factory=dict)

    def admit(self, user: str, cost: float) -> float:
        """Return the tag of a user's further job, which costs ``cost``."""
        tag = max(self.present, self.ends.get(user, 0.0))
        self.ends[user] = tag + cost
        return tag

    def hand_out(self, tag: float) -> None:
        """Go on to the tag of the job that is handed out; users with nothing beyond it are forgotten."""
        self.present = max(self.present, tag)
        self.ends = {user: end for user, end in self.ends.items() if end > self.present}
