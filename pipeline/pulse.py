"""What goes on beside the work on a job: keep the lease, heed a cancellation, pass progress on."""

import threading
import time
from enum import StrEnum
from types import TracebackType
from typing import Self

from pipeline.errors import QueueUnavailableError, StoreError
from pipeline.models import Claim, JobStatus
from pipeline.parts import Parts
from pipeline.tracking import Tracker

TICK_S = 0.2
"""Progress is told at most five times a second."""

CANCEL_EVERY_S = 0.4
"""A cancelled job's ranks must be gone within two seconds."""

LOOK_IN_STORE_EVERY_S = 5.0
"""While Redis is away the store is asked whether the job was cancelled; it costs more."""


class Stop(StrEnum):
    """Why the work on a job is to end early."""

    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    STOPPING = "stopping"


class Pulse:
    """Runs beside one attempt, in a thread of its own, for as long as the ``with`` block lasts.

    A lease that cannot be renewed does not end the work by itself: after Redis has lost its data,
    nobody else may have the job. What ends it is a newer attempt on record in the store.
    """

    def __init__(self, claim: Claim, parts: Parts, *, stopping: threading.Event) -> None:
        """Renew ``claim``; ``stopping`` says that the whole worker ends."""
        self._claim = claim
        self._queue = parts.queue
        self._records = parts.records
        self._news = parts.news
        self._renew_s = parts.heartbeat_s
        self._stopping = stopping
        self._over = threading.Event()
        self._telling = threading.Lock()
        self._attempt: int | None = None
        self._status: JobStatus | None = None
        self._reason: Stop | None = None
        self._thread = threading.Thread(target=self._run, name=f"pulse-{claim.job_id}", daemon=True)
        self.tracker = Tracker()

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; nothing is told any more once this returns, so that the end is told last."""
        self._over.set()
        self._thread.join()

    def follow(self, attempt: int, status: JobStatus) -> None:
        """From now on, watch for attempts newer than ``attempt``, and tell progress as ``status``."""
        self._attempt = attempt
        self._status = status

    def hush(self) -> None:
        """Tell no more progress: on return, nothing of it can overtake the news of the end."""
        with self._telling:
            self._status = None

    @property
    def reason(self) -> Stop | None:
        """Why the work is to end, None while it is to go on."""
        if self._reason is None and self._stopping.is_set():
            return Stop.STOPPING
        return self._reason

    def stopped(self) -> bool:
        """Whether the work is to end."""
        return self.reason is not None

    def _run(self) -> None:
        renewed = asked = looked = time.monotonic()
        while not self._over.wait(TICK_S):
            at = time.monotonic()
            try:
                self._tell()
                if at - asked >= CANCEL_EVERY_S:
                    asked = at
                    self._ask()
                if at - renewed >= self._renew_s:
                    renewed = at
                    self._renew()
            except (QueueUnavailableError, StoreError):
                if at - looked >= LOOK_IN_STORE_EVERY_S:
                    looked = at
                    self._look()

    def _tell(self) -> None:
        with self._telling:
            status = self.tracker.news(self._status) if self._status is not None else None
            if status is not None:
                self._news.tell(status, "progress")

    def _ask(self) -> None:
        if self._news.board.cancel_requested(self._claim.job_id):
            self._end(Stop.CANCELLED)

    def _renew(self) -> None:
        self._queue.renew(self._claim)
        self._look()

    def _look(self) -> None:
        try:
            if self._attempt is not None and self._records.superseded(self._claim.job_id, self._attempt):
                self._end(Stop.SUPERSEDED)
            elif self._records.cancelled(self._claim.job_id):
                self._end(Stop.CANCELLED)
        except StoreError:
            return

    def _end(self, reason: Stop) -> None:
        if self._reason is None:
            self._reason = reason
