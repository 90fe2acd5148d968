"""What is watched, and from where on it is wrong: one table, with the limits of the settings."""

from dataclasses import dataclass
from typing import Literal

from pipeline.config import Settings

AWAY = 1.0
"""The value of what should answer and does not; 0 where it does."""

FAILURES_WITHIN_S = 1800.0
DEAD_WITHIN_S = 86_400.0
"""How old failures may be, and dead letters, to be counted."""

_SILENT_S = 180.0
_BETTER = 0.9
"""Of a limit: a value below it is well again, one between the two stays what it was."""


@dataclass(frozen=True)
class Rule:
    """When something is wrong, and what is said then.

    Attributes
    ----------
    name: what the alert is called; with ``Halorow`` before it, it is an entry of the runbook.
    limit: a value is bad from here on.
    well_below: a value is good below this; in between it is neither.
    hold_s: how long it must be bad without a break before the alert is raised.
    text: ``{subject}``, ``{value}`` and ``{limit}`` are filled in.
    remedy: what to do, in a line.
    severity: ``critical`` where the service stands still.

    """

    name: str
    limit: float
    well_below: float
    hold_s: float
    text: str
    remedy: str
    severity: Literal["warning", "critical"] = "warning"

    def said(self, subject: str, value: float) -> str:
        """Return the text of an alert."""
        return self.text.format(subject=subject, value=value, limit=self.limit, minutes=self.hold_s / 60)


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """Return the rules that are on, as the settings have them; a limit of 0 switches a rule off."""
    away_s = settings.alert_away_s
    return tuple(rule for rule in (*_limits(settings), *_answers(away_s)) if rule.limit > 0)


def _answers(away_s: float) -> tuple[Rule, ...]:
    """Return the rules about parts that do not answer."""
    if not away_s:
        return ()
    return (
        Rule(
            "store-away",
            AWAY,
            AWAY,
            away_s,
            "The object store cannot be written to",
            "`halorow doctor` says why; work goes on by itself once it answers",
            "critical",
        ),
        Rule(
            "redis-away",
            AWAY,
            AWAY,
            away_s,
            "Redis does not answer",
            "start it, or check redis_url; accepted jobs are kept in the store",
            "critical",
        ),
        Rule(
            "scheduler-silent",
            AWAY,
            AWAY,
            max(_SILENT_S, away_s),
            "The scheduler has told nothing of the cluster",
            "look whether Ray runs on the head; accepted jobs are safe in the store",
            "critical",
        ),
    )


def _limits(settings: Settings) -> tuple[Rule, ...]:
    """Return the rules about values with a limit of their own."""
    cpu, disk = float(settings.alert_cpu_percent), float(settings.alert_disk_percent)
    queue_s, failures, dead = (
        settings.alert_queue_s,
        float(settings.alert_failures),
        float(settings.alert_dead),
    )
    return (
        Rule(
            "node-busy",
            cpu,
            cpu * _BETTER,
            settings.alert_cpu_s,
            "The processors of node {subject} have been busy to {value:.0f} % for {minutes:.0f} minutes",
            "nothing while the queue drains in time; else allow more nodes",
        ),
        Rule(
            "node-disk-full",
            disk,
            disk - 1,
            0.0,
            "The disk of node {subject} is full to {value:.0f} %",
            "make room there: logs and spilled objects of Ray, old images",
        ),
        Rule(
            "store-disk-full",
            disk,
            disk - 1,
            0.0,
            "The disk of the store is full to {value:.0f} %",
            "`halorow clean --dry-run` shows what could go; or move the store",
        ),
        Rule(
            "queue-old",
            queue_s,
            queue_s * _BETTER,
            0.0,
            "A job has waited for {value:.0f} s in lane {subject}, more than {limit:.0f} s",
            "see whether nodes are there and jobs end; allow more nodes",
        ),
        Rule(
            "jobs-fail",
            failures,
            failures * _BETTER,
            0.0,
            "Jobs that failed within half an hour: {value:.0f}",
            "`halorow jobs` names the errors; if they are alike, the cause is outside the pictures",
        ),
        Rule(
            "dead-letter",
            dead,
            dead,
            0.0,
            "Dead letters of the last day: {value:.0f}",
            "look at the evidence, then re-queue or delete them",
        ),
    )
