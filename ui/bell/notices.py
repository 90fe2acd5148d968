"""What the page says of notices: which are new to a visit, and how many are unread; pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pipeline.channels.models import Kind
from pipeline.models import Notice

MOST_AT_ONCE = 5
"""Of a burst of notices so many are shown in passing; the rest are on the page *Notifications*."""


def fresh(notices: Sequence[Notice], known: Collection[str] | None) -> list[Notice]:
    """Return the notices that a visit has yet to see; those from before the visit are old news."""
    return [] if known is None else [notice for notice in notices if notice.id not in known]


def chosen(notices: Sequence[Notice], kinds: Collection[Kind]) -> list[Notice]:
    """Return the newest of the notices that somebody wants to see, in order."""
    return [notice for notice in notices if notice.kind in kinds][-MOST_AT_ONCE:]


def unread(notices: Sequence[Notice], seen: datetime | None) -> int:
    """Return how many notices are of what happened after somebody has last looked."""
    return len(notices) if seen is None else sum(notice.at > seen for notice in notices)


def badge(count: int) -> str:
    """Return what the bell says."""
    return f"{count} new" if count else "Nothing new"
