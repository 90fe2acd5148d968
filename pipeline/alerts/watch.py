"""Whether an alert is raised or cleared: a pure decision, without clock or I/O.

A value must be bad for as long as its rule says, without a break, to raise an alert, and good for as long as
the settings say to clear it. Between bad and good is a gap. So what goes to and fro faster than either
changes nothing, and what is raised is raised once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.alerts.rules import Rule
from pipeline.models import Alert, AlertState

Readings = Mapping[str, Mapping[str, float] | None]
"""By rule the value of each subject; None where nobody could look. What is not named is well or gone."""

_WELL = float("-inf")


@dataclass(frozen=True)
class Since:
    """Since when a subject has been bad or good, by a clock that never goes back; None while it is not."""

    bad_s: float | None = None
    good_s: float | None = None


@dataclass(frozen=True)
class Decision:
    """What to remember until the next look, and the alerts that are raised or cleared."""

    since: Mapping[str, Since]
    changes: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Look:
    """What was seen at one time: ``at`` for people, ``at_s`` by a clock that never goes back."""

    readings: Readings
    at: datetime
    at_s: float


def decide(
    active: Mapping[str, Alert],
    before: Mapping[str, Since],
    look: Look,
    rules: Sequence[Rule],
    clear_s: float,
) -> Decision:
    """Return what changes.

    Parameters
    ----------
    active: the alerts that hold, by their ids.
    before: what the decision before this one said is to be remembered; nothing after a restart.
    look: what was seen now. Of rules without an entry nothing is known, as if nobody could look.
    rules: those that are on. An alert of another rule is cleared at once.
    clear_s: how long all must be well before an alert is cleared.

    """
    since: dict[str, Since] = {}
    changes = [_cleared(alert, look) for alert in active.values() if alert.rule not in names_of(rules)]
    for rule in rules:
        seen = look.readings.get(rule.name)
        if seen is None:
            continue  # unseen it is neither bad nor good for any length of time
        known = {alert.subject for alert in active.values() if alert.rule == rule.name}
        for subject in sorted({*seen, *known}):
            name, value = id_of(rule, subject), seen.get(subject, _WELL)
            since[name] = _since(before.get(name, Since()), value, rule, look.at_s)
            change = _change(active.get(name), since[name], rule, clear_s, look.at_s)
            if change is AlertState.RAISED:
                changes.append(_raised(rule, subject, value, look))
            elif change is AlertState.CLEARED:
                changes.append(_cleared(active[name], look))
    return Decision(since, tuple(changes))


def names_of(rules: Sequence[Rule]) -> set[str]:
    """Return the names of rules."""
    return {rule.name for rule in rules}


def id_of(rule: Rule, subject: str) -> str:
    """Return what an alert of a rule about a subject is known by."""
    return f"{rule.name}:{subject}" if subject else rule.name


def _since(before: Since, value: float, rule: Rule, at_s: float) -> Since:
    if value >= rule.limit:
        return Since(bad_s=at_s if before.bad_s is None else before.bad_s)
    if value < rule.well_below:
        return Since(good_s=at_s if before.good_s is None else before.good_s)
    return Since()


def _change(alert: Alert | None, since: Since, rule: Rule, clear_s: float, at_s: float) -> AlertState | None:
    if alert is None and since.bad_s is not None and at_s - since.bad_s >= rule.hold_s:
        return AlertState.RAISED
    if alert is not None and since.good_s is not None and at_s - since.good_s >= clear_s:
        return AlertState.CLEARED
    return None


def _raised(rule: Rule, subject: str, value: float, look: Look) -> Alert:
    return Alert(
        id=id_of(rule, subject),
        state=AlertState.RAISED,
        since=look.at,
        at=look.at,
        text=rule.said(subject, value),
        severity=rule.severity,
        remedy=rule.remedy,
    )


def _cleared(alert: Alert, look: Look) -> Alert:
    return alert.model_copy(update={"state": AlertState.CLEARED, "at": look.at})
