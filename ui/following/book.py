"""The jobs that one viewer may see, as known now: found by state and text, and told again where they changed.

A viewer's browser asks again and again; an answer has the cards of the jobs on view that have changed since
the answer before.
"""

import secrets
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.models import JobStatus
from ui.following.view import STATES, card

BATCH = "batch:"
"""What a search for one batch alone begins with."""


@dataclass(frozen=True)
class Asked:
    """What is to be seen: a state of ``jobs_view.STATES`` (all if empty), a text, and how many at most."""

    state: str = ""
    text: str = ""
    most: int = 20


@dataclass
class _Entry:
    status: JobStatus
    changed: int
    text: str = field(init=False)

    def __post_init__(self) -> None:
        known = self.status
        self.text = "\n".join((known.input_name, known.pipeline, known.batch or "", known.id)).casefold()

    def matches(self, text: str) -> bool:
        if text.startswith(BATCH):
            return self.status.batch == text.removeprefix(BATCH).strip()
        return all(word in self.text for word in text.casefold().split())


class JobBook:
    """Safe between threads. Every change has a number, so that an answer can leave out what is known."""

    def __init__(self) -> None:
        """Know of no job yet."""
        self._lock = threading.Lock()
        self._epoch = secrets.token_hex(4)
        self._changes = 0
        self._entries: dict[str, _Entry] = {}

    @property
    def changes(self) -> int:
        """The number of the latest change."""
        return self._changes

    def take(self, status: JobStatus) -> None:
        """Take in what an event tells."""
        with self._lock:
            self._take(status)

    def replace(self, statuses: Iterable[JobStatus], read_at: int) -> None:
        """Know of these jobs alone; what events have told since the change ``read_at`` is newer."""
        with self._lock:
            newer = {job_id for job_id, one in self._entries.items() if one.changed > read_at}
            there = {status.id: status for status in statuses}
            for status in there.values():
                if status.id not in newer:
                    self._take(status)
            kept = newer | there.keys()
            self._entries = {job_id: one for job_id, one in self._entries.items() if job_id in kept}

    def look(self, asked: Asked, epoch: str = "", since: int = -1) -> dict[str, Any]:
        """Return what to show, as JSON.

        It has the ids in order, the newest first, how many jobs there are ``in`` each state that match the
        text, and the cards that have changed since the change ``since`` of the same ``epoch``.
        """
        with self._lock:
            found = sorted(self._matching(asked.text), key=lambda one: one.status.created_at, reverse=True)
            counts = {name: sum(one.status.state in those for one in found) for name, those in STATES.items()}
            if asked.state in STATES:
                found = [one for one in found if one.status.state in STATES[asked.state]]
            shown = found[: asked.most]
            known = since if epoch == self._epoch else -1
            return {
                "epoch": self._epoch,
                "seq": self._changes,
                "ids": [one.status.id for one in shown],
                "total": len(found),
                "known": len(self._entries),
                "in": counts,
                "cards": [card(one.status).to_json() for one in shown if one.changed > known],
            }

    def _matching(self, text: str) -> Iterator[_Entry]:
        wanted = text.strip()
        return (one for one in self._entries.values() if not wanted or one.matches(wanted))

    def _take(self, status: JobStatus) -> None:
        known = self._entries.get(status.id)
        if known is not None and known.status == status:
            return
        self._changes += 1
        self._entries[status.id] = _Entry(status, self._changes)
