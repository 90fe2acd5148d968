"""What people are told of: notices and alerts."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from pipeline.models.base import Model, now


class Notice(Model):
    """A line for the page that tells a user what happened at ``at``, such as how a job of theirs ended.

    ``kind`` is one of ``pipeline.channels.models.Kind``; ``job_id`` is empty where it is not about one job.
    """

    id: str
    user: str
    job_id: str
    text: str
    at: datetime = Field(default_factory=now)
    kind: str = "done"


class AlertState(StrEnum):
    """Whether an alert holds."""

    RAISED = "raised"
    CLEARED = "cleared"


class Alert(Model):
    """Something that operators should see to, or need no longer.

    ``id`` says what it is about, as ``rule`` or ``rule:subject``, and is the same whenever that is so again;
    ``since`` tells one time from another, and stays the same when the alert is cleared. ``at`` is when it
    became what it is now. ``remedy`` says what to do in a line; the runbook has more (``runbook``).
    """

    id: str
    state: AlertState
    since: datetime
    at: datetime = Field(default_factory=now)
    text: str
    severity: Literal["warning", "critical"] = "warning"
    remedy: str = ""

    @property
    def rule(self) -> str:
        """The rule that was broken."""
        return self.id.partition(":")[0]

    @property
    def subject(self) -> str:
        """What broke it, such as a node; empty where the rule is about the service."""
        return self.id.partition(":")[2]

    @property
    def runbook(self) -> str:
        """The entry of ``docs/runbook.md`` that says what to do."""
        return f"Halorow{''.join(word.capitalize() for word in self.rule.split('-'))}"


class AlertsStatus(Model):
    """``alerts/state.json``: the alerts that hold, and those of lately.

    ``version`` grows with each change. ``base`` is the version in the store that this one goes on from: a
    copy in Redis with another base has gone a way of its own. ``untold`` are changes that have yet to be
    passed on. ``looked_at`` is when the rules were last applied, up to date in Redis alone.
    """

    version: int = 0
    base: int = 0
    looked_at: datetime = Field(default_factory=now)
    active: list[Alert] = Field(default_factory=list)
    recent: list[Alert] = Field(default_factory=list)
    untold: list[Alert] = Field(default_factory=list)
