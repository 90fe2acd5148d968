"""Applies the rules every few seconds, writes down what changes, and has it passed on.

A change is in the store before anybody is told, and stays among the untold until telling has succeeded. What
is told again after a crash in between is the same: ``id``, ``since`` and ``state``, by which the receiver
knows it. While the store is away alerts are logged and shown by Redis alone, and told when it is back.
"""

import threading
import time
from collections.abc import Callable, Sequence

from pipeline import logs
from pipeline.alerts.book import AlertBook
from pipeline.alerts.lookout import Lookout
from pipeline.alerts.rules import Rule
from pipeline.alerts.watch import Look, Readings, Since, decide
from pipeline.errors import HalorowError
from pipeline.models import Alert, AlertsStatus, AlertState, now

RECENT = 50
"""Alerts of lately that are shown once they have been cleared."""

Tell = Callable[[Alert], None]
"""Passes a change on. Raises HalorowError where that is to be tried again."""


class AlertLoop:
    """Keeps the alerts of a service. Of two, each goes on from what the other has written."""

    def __init__(
        self,
        book: AlertBook,
        lookout: Lookout,
        rules: Sequence[Rule],
        tell: Tell,
        *,
        clear_s: float,
        every_s: float,
    ) -> None:
        """Apply ``rules`` to what ``lookout`` sees every ``every_s`` seconds, and ``tell`` what changes."""
        self._book = book
        self._lookout = lookout
        self._rules = rules
        self._tell = tell
        self._clear_s = clear_s
        self._every_s = every_s
        self._status = AlertsStatus()
        self._since: dict[str, Since] = {}
        self._is_begun = self._is_read = False
        self._stopping = threading.Event()
        self._log = logs.get_logger(part="alerts")

    def stop(self) -> None:
        """Have :meth:`run` end soon."""
        self._stopping.set()

    def run(self) -> None:
        """Look every few seconds, until told to stop."""
        while not self._stopping.is_set():
            self.look(time.monotonic())
            self._stopping.wait(self._every_s)

    def look(self, at_s: float) -> AlertsStatus:
        """Look once, at the time ``at_s`` by a clock that never goes back; return the alerts there are."""
        self._take_over()
        at = now()
        seen: Readings = self._lookout.look(at)
        active = {alert.id: alert for alert in self._status.active}
        decision = decide(active, self._since, Look(seen, at, at_s), self._rules, self._clear_s)
        self._since = dict(decision.since)
        if decision.changes:
            self._status = changed(self._status, decision.changes)
            self._log_all(decision.changes)
            self._settle()
        if self._status.untold and self._is_stored and self._tell_all():
            self._settle()
        self._status = self._status.model_copy(update={"looked_at": at})
        self._book.post(self._status)
        return self._status

    @property
    def _is_stored(self) -> bool:
        return self._is_read and self._status.base == self._status.version

    def _take_over(self) -> None:
        """Go on from what was written down before this process began, as soon as it can be read."""
        if not self._is_begun and (found := self._book.posted()) is not None:
            self._status, self._is_begun = merged(self._status, found), True
        if not self._is_stored:
            self._settle()

    def _settle(self) -> None:
        """Bring what is here and what is in the store together; the store's counts where they differ."""
        there = self._book.stored()
        if there is None:
            return
        if not self._is_begun or there.version != self._status.base:
            self._status = merged(self._status, there)
        self._is_begun = self._is_read = True
        if not self._is_stored:
            grown = self._status.model_copy(update={"base": self._status.version})
            self._status = grown if self._book.store(grown) else self._status

    def _tell_all(self) -> bool:
        """Tell what is untold, the oldest first; return whether anything was told."""
        left = list(self._status.untold)
        try:
            while left:
                self._tell(left[0])
                left.pop(0)
        except HalorowError as error:
            self._log.warning("an alert is not passed on yet", alert=left[0].id, error=str(error))
        told = len(left) < len(self._status.untold)
        update = {"untold": left, "version": self._status.version + int(told)}
        self._status = self._status.model_copy(update=update)
        return told

    def _log_all(self, changes: Sequence[Alert]) -> None:
        for alert in changes:
            log = self._log.info if alert.state is AlertState.CLEARED else self._log.warning
            log(f"alert {alert.state.value}", alert=alert.id, text=alert.text, severity=alert.severity)


def changed(status: AlertsStatus, changes: Sequence[Alert]) -> AlertsStatus:
    """Return the state after some alerts were raised or cleared."""
    active = {alert.id: alert for alert in status.active}
    recent = list(status.recent)
    for alert in changes:
        if alert.state is AlertState.RAISED:
            active[alert.id] = alert
        else:
            active.pop(alert.id, None)
            recent.insert(0, alert)
    return status.model_copy(
        update={
            "version": status.version + 1,
            "active": list(active.values()),
            "recent": recent[:RECENT],
            "untold": [*status.untold, *changes],
        }
    )


def merged(ours: AlertsStatus, found: AlertsStatus) -> AlertsStatus:
    """Return what is written down, with what was raised here before it could be read, or at the same time.

    What holds in both was raised and told before. What was raised and cleared there does not hold here.
    """
    known = {alert.id for alert in found.active}
    over = {(alert.id, alert.since) for alert in found.recent}
    fresh = [one for one in ours.active if one.id not in known and (one.id, one.since) not in over]
    return changed(found, fresh) if fresh else found
