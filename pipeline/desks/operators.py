"""What operators look at: the cluster now and over time, trouble and its evidence, alerts, and what is away.

It has impatient connections of its own, so that it tells soon that Redis is away, and shows the rest.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pipeline.access.page_access import is_loopback
from pipeline.access.refusals import log_refusal
from pipeline.alerts.book import AlertBook
from pipeline.alerts.checks import Check, examine_parts, store_probe
from pipeline.config import OF_SERVICE, Settings
from pipeline.connect import connect_parts
from pipeline.decisions.people import Person
from pipeline.errors import QueueUnavailableError, RoleError
from pipeline.extras import DASHBOARD, is_there
from pipeline.models import AlertsStatus, ClusterStatus, JobState, JobStatus, Sample, now
from pipeline.parts import Parts

PATIENCE_S = 0.5
"""How long an operator's question waits for Redis to come back."""

MOST_TROUBLE = 200


@dataclass(frozen=True)
class Trouble:
    """The jobs that are failed or dead, whose ends came last first."""

    failed: list[JobStatus]
    dead: list[JobStatus]


@dataclass(frozen=True)
class Evidence:
    """Of what kind a failure was, who was at it last, and how each attempt ended, in a line or more."""

    kind: str | None
    worker: str | None
    lines: tuple[str, ...]


class OperatorDesk:
    """Answers operators; safe to share between threads. Most methods raise QueueUnavailableError."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        """Look at ``parts``."""
        self._parts = parts
        self._settings = settings
        self._book = AlertBook(parts.store, parts.operators)
        self._probe = store_probe(parts.store, settings)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return a desk of the service that the settings name; nothing is asked yet. Raises StoreError."""
        return cls(connect_parts(settings, patience_s=PATIENCE_S), settings)

    def close(self) -> None:
        """Give the connections back."""
        self._parts.close()

    def acting_for(self, person: Person | None) -> Self:
        """Return the desk for who has logged in. Raises RoleError for who is no operator."""
        if person is not None and not person.is_operator:
            error = RoleError(f"{person.name} is no operator; see the setting operators")
            log_refusal("operators", error, person=person.name)
            raise error
        return self

    def cluster(self) -> ClusterStatus | None:
        """Return how the cluster is, None where no scheduler has said so lately."""
        return self._parts.board.cluster()

    def samples(self, since: datetime) -> list[Sample]:
        """Return the queue and the nodes over time since then, the oldest first."""
        return self._parts.operators.samples(since)

    def trouble(self, limit: int = MOST_TROUBLE) -> Trouble:
        """Return the jobs that are failed or dead now."""
        board = self._parts.board
        failed, dead = (board.in_trouble(state, limit=limit) for state in (JobState.FAILED, JobState.DEAD))
        return Trouble(failed, dead)

    def evidence(self, job_id: str) -> Evidence:
        """Return what is known of the end of a job. Raises StoreError."""
        failure = self._parts.records.failure(job_id)
        attempts = self._parts.records.history(job_id).attempts
        worker = max(attempts, key=lambda one: one.attempt).worker if attempts else None
        lines = tuple(failure.evidence) if failure is not None else ()
        return Evidence(failure.kind if failure is not None else None, worker, lines)

    def alerts(self) -> AlertsStatus | None:
        """Return which alerts there are, from the store where Redis does not say; None where neither does."""
        try:
            posted = self._parts.operators.alerts()
        except QueueUnavailableError:
            posted = None
        return posted if posted is not None else self._book.stored()

    def checks(self) -> list[Check]:
        """Return which parts answer just now, as seen from here."""
        return examine_parts(self._probe, self._settings, self.alerts(), now())

    def links(self) -> dict[str, str]:
        """Return the addresses of what else shows the service, by their names; those that are known."""
        settings = self._settings
        ray = settings.ray_dashboard_url
        is_one_machine = OF_SERVICE in os.environ or settings.ray_address.startswith("127.")
        if not ray and is_one_machine and is_loopback(settings.page_host) and is_there(DASHBOARD):
            ray = f"http://127.0.0.1:{settings.ray_dashboard_port}"
        known = {"Ray's dashboard": ray, "Grafana": settings.grafana_url}
        return {name: url for name, url in known.items() if url}
