"""What goes on beside the work on a job: keep the lease, heed a cancellation, pass progress on."""

import threading
import time
from enum import StrEnum
from types import TracebackType
from typing import Self

from pipeline.attempts.heart import TICK_S, Heart
from pipeline.attempts.tracking import Tracker
from pipeline.errors import QueueUnavailableError, StoreError
from pipeline.models import Claim, JobStatus
from pipeline.parts import Parts

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
    """Runs beside the work on one claim, on a worker's heart, for as long as the ``with`` block lasts.

    A lease that cannot be renewed does not end the work by itself: after Redis has lost its data,
    nobody else may have the job. What ends it is a newer attempt on record in the store.
    """

    def __init__(self, claim: Claim, parts: Parts, heart: Heart, *, stopping: threading.Event) -> None:
        """Renew ``claim``; ``stopping`` says that the whole worker ends."""
        self._claim = claim
        self._queue = parts.queue
        self._records = parts.records
        self._news = parts.news
        self._renew_s = parts.heartbeat_s
        self._heart = heart
        self._stopping = stopping
        self._beating = threading.Lock()
        self._over = False
        self._telling = threading.Lock()
        self._attempt: int | None = None
        self._status: JobStatus | None = None
        self._begun = False
        self._reason: Stop | None = None
        self._renewed = self._asked = self._looked = self._followed = time.monotonic()
        self.tracker = Tracker()

    def __enter__(self) -> Self:
        """Start."""
        self._heart.join(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; nothing is told any more once this returns, so that the end is told last."""
        self._heart.leave(self)
        with self._beating:
            self._over = True

    def follow(self, attempt: int, status: JobStatus) -> None:
        """From now on, watch for attempts newer than ``attempt``, and tell of it as ``status``.

        That it has begun is told by :meth:`begin`, or by itself if that does not come soon; of a job that
        has ended by then it is not told.
        """
        self._followed = time.monotonic()
        self._attempt = attempt
        self._status = status

    def begin(self) -> None:
        """Tell that the attempt has begun, unless that has been told; Redis may be away."""
        with self._telling:
            if self._status is not None and not self._begun:
                self._begun = True
                self._news.mention(self._status)

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

    def beat(self) -> None:
        """Do what is due by now."""
        with self._beating:
            if self._over:
                return
            at = time.monotonic()
            try:
                self._tell(at)
                if at - self._asked >= CANCEL_EVERY_S:
                    self._asked = at
                    self._ask()
                if at - self._renewed >= self._renew_s:
                    self._renewed = at
                    self._renew()
            except (QueueUnavailableError, StoreError):
                if at - self._looked >= LOOK_IN_STORE_EVERY_S:
                    self._looked = at
                    self._look()

    def _tell(self, at: float) -> None:
        if at - self._followed < TICK_S:
            return  # the end of a job so short is news enough
        self.begin()
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
            standing = self._records.standing(self._claim.job_id)
            if self._attempt is not None and standing.newest > self._attempt:
                self._end(Stop.SUPERSEDED)
            elif standing.cancelled:
                self._end(Stop.CANCELLED)
        except StoreError:
            return

    def _end(self, reason: Stop) -> None:
        if self._reason is None:
            self._reason = reason
