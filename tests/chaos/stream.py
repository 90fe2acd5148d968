"""A steady stream of jobs: submitted until accepted, whatever happens, and watched to their ends."""

import threading
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from pipeline.client import Client
from pipeline.errors import HalorowError
from pipeline.models import Result
from tests.chaos.ground import Ground
from tests.chaos.workload import Kind

if TYPE_CHECKING:
    from tests.embedded_service import EmbeddedService

OUTSTANDING = 16
"""So many jobs wait or are worked on at a time."""

LOOK_S = 0.1
AGAIN_S = 0.5


@dataclass
class Job:
    """One accepted job and the result that was first seen of it."""

    id: str
    kind: Kind
    first_seen: Result | None = None


class Stream:
    """Submits ``number`` jobs in a thread of its own, ``OUTSTANDING`` at a time.

    Each has an idempotency key and is submitted again until the service has accepted it, as a careful
    client does: if that made two jobs of one, the last count would show it.
    """

    def __init__(self, ground: Ground, kinds: list[Kind], number: int, seed: int) -> None:
        """Start to submit."""
        self._ground = ground
        random = Random(seed)
        self._kinds = random.choices(kinds, [kind.weight for kind in kinds], k=number)
        self._seed = seed
        self._lock = threading.Lock()
        self._open: dict[str, Job] = {}
        self.jobs: list[Job] = []
        self.refused = 0
        self._served: tuple[EmbeddedService, Client] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def finished(self) -> int:
        """How many jobs have ended."""
        with self._lock:
            return len(self.jobs) - len(self._open)

    @property
    def unfinished(self) -> list[str]:
        """The ids of jobs that have been accepted and not ended."""
        with self._lock:
            return list(self._open)

    @property
    def is_done(self) -> bool:
        """Whether every job has been accepted and has ended."""
        return not self._thread.is_alive() and not self.unfinished

    def look(self) -> None:
        """See which jobs have ended since."""
        with self._lock:
            waiting = list(self._open.values())
        for job in waiting:
            try:
                ending = self._ground.ending(job.id)
            except HalorowError:
                continue
            if ending is not None:
                job.first_seen = ending if isinstance(ending, Result) else None
                with self._lock:
                    del self._open[job.id]

    def _run(self) -> None:
        for number, kind in enumerate(self._kinds):
            while len(self.unfinished) >= OUTSTANDING:
                time.sleep(LOOK_S)
            job = Job(self._submitted(number, kind), kind)
            with self._lock:
                self.jobs.append(job)
                self._open[job.id] = job
        self._close()

    def _client(self) -> Client:
        """Return a client of the present service for this thread alone: another's may be closed meanwhile."""
        service = self._ground.service
        if self._served is None or self._served[0] is not service:
            self._close()
            self._served = service, Client.connect(service.settings)
        return self._served[1]

    def _close(self) -> None:
        if self._served is not None:
            self._served[1].close()
            self._served = None

    def _submitted(self, number: int, kind: Kind) -> str:
        """Submit until accepted; return the job's id."""
        key = f"{self._seed}-{number}"
        while True:
            try:
                client = self._client()
                return client.submit(kind.image, kind.steps, ranks=kind.ranks, key=key, user="chaos").id
            except HalorowError:
                self.refused += 1
                time.sleep(AGAIN_S)  # as a client that is told no
