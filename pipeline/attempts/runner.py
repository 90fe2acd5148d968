"""Works on jobs of one lane: claim, compute, commit, tell. Knows nothing of Ray."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from mpi_stage.contract import Report, Request
from mpi_stage.errors import StageError
from pipeline.access.refusals import log_refusal
from pipeline.attempts.aftermath import Aftermath
from pipeline.attempts.attempt import Work
from pipeline.attempts.heart import TICK_S, Heart
from pipeline.attempts.place import Place
from pipeline.attempts.plan_router import Move
from pipeline.attempts.pulse import Pulse
from pipeline.attempts.turns import Room, Turn, Turns
from pipeline.attempts.workplace import Workplace
from pipeline.decisions.routing import alone_s
from pipeline.errors import (
    HalorowError,
    JobNotFoundError,
    KeyRefusedError,
    QueueUnavailableError,
    StoreError,
)
from pipeline.images.trees import reference_to
from pipeline.layout import output_key
from pipeline.logs import get_logger
from pipeline.models import Claim, Lane, Manifest, Result
from pipeline.parts import Parts
from pipeline.records import statuses
from pipeline.records.commit import commit
from pipeline.records.settle import settle
from pipeline.tracing import past_span, span
from pipeline.worlds.renewal import Token

WAIT_S = 2.0
"""How long a runner waits in the queue for a job; it cannot stop meanwhile."""

PAUSE_S = 1.0
"""How long a runner waits before it asks again a queue that did not answer."""

HANDS = "ab"
"""What tells the two claims apart that a worker may hold: one at work, one before or after it."""

STALL_S = 300.0
"""No progress for so long, and a world counts as hung: long enough for the slowest decoder of one file."""


class Stage(Protocol):
    """What runs a request: a world of ranks."""

    def run(
        self,
        request: Request,
        *,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        deadline_s: float | None = None,
        stall_s: float | None = None,
        cancelled: Callable[[], bool] | None = None,
        token: Token | None = None,
    ) -> Report:
        """Run one request to its end. Raises StageError, RunCancelledError."""


class Router(Protocol):
    """Decides, once the image's header can be read, whether a job belongs to the gang lane."""

    def __call__(self, request: Request, manifest: Manifest) -> Move | None:
        """Return the job's way into the gang lane; None to do it here.

        Raises StageError.
        """


class JobRunner:
    """Takes jobs from one lane and brings each to its end, or back into the queue.

    While the stage is at one job, the next may be claimed and made ready, and the one before is
    committed: :meth:`run_forever` works with two hands, which take turns at the stage. An attempt
    begins with its turn, so a worker that dies has one job to answer for, whatever else it held.

    Whatever is raised on the way, a job is in one of three places afterwards: ended on record in
    the store, back in the queue, or still held by a lease that will run out.
    """

    def __init__(
        self,
        parts: Parts,
        stage: Stage,
        workplace: Workplace,
        *,
        lane: Lane,
        consumer: str,
        router: Router | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        """Work as ``consumer`` (a name never used before) on what ``lane`` hands out."""
        self._parts = parts
        self._stage = stage
        self._workplace = workplace
        self._lane = lane
        self._consumer = consumer
        self._router = router
        self._stall_s = stall_s
        self._aftermath = Aftermath(parts)
        self._stopping = threading.Event()
        self._retiring = threading.Event()
        self._heart = Heart()
        self._turns = Turns()
        self._claiming = threading.Lock()
        self._log = get_logger(worker=consumer)

    def stop(self) -> None:
        """Give back what is being worked on, and take nothing more; returns at once."""
        self._stopping.set()

    def retire(self) -> None:
        """Bring what is being worked on to its end, and take nothing more; returns at once."""
        self._retiring.set()

    def run_forever(self) -> None:
        """Work until :meth:`stop` or :meth:`retire`."""
        with ThreadPoolExecutor(len(HANDS), thread_name_prefix="hand") as hands:
            # Kept until both are done: a stage ends with the thread that started it.
            for done in [hands.submit(self._work_on, f"{self._consumer}{hand}") for hand in HANDS]:
                done.result()

    def _work_on(self, consumer: str) -> None:
        while not self._ends():
            try:
                self.work_once(block_s=WAIT_S, consumer=consumer)
            except QueueUnavailableError:
                self._stopping.wait(PAUSE_S)
            except Exception:  # noqa: BLE001  # a fault in one job must not end the worker; its lease runs out
                self._log.exception("a job could not be worked on")
                self._stopping.wait(PAUSE_S)

    def _ends(self) -> bool:
        return self._stopping.is_set() or self._retiring.is_set()

    def work_once(self, block_s: float = 0.0, consumer: str | None = None) -> bool:
        """Take the next job and work on it; False if none came within ``block_s`` seconds.

        Raises QueueUnavailableError.
        """
        with self._claiming:
            room = self._turns.room(block_s)
            if room is Room.NONE or self._ends():
                return False
            wait_s = block_s if room is Room.IDLE else 0.0
            since_s = time.monotonic()
            claim = self._parts.queue.claim(self._lane, consumer or self._consumer, wait_s)
            if claim is None:
                return False
            turn = self._turns.enter()
        self._bring_on(claim, turn, since_s)
        return True

    def work(self, claim: Claim) -> None:
        """Work on a job that has been claimed. Raises QueueUnavailableError."""
        self._bring_on(claim, self._turns.enter(), time.monotonic() - self._parts.heartbeat_s)

    def _bring_on(self, claim: Claim, turn: Turn, since_s: float) -> None:
        """Work on a claim that was asked for at ``since_s`` of the monotonic clock."""
        try:
            with Pulse(claim, self._parts, self._heart, stopping=self._stopping) as pulse:
                work = self._take_up(claim, pulse, turn, since_s)
                if work is not None:
                    self._attempt(work)
        except JobNotFoundError:
            # An id without a manifest was never accepted.
            self._parts.queue.release(claim)
        except StoreError as error:
            self._log.warning("the store failed before an attempt", job=claim.job_id, error=str(error))
            self._parts.queue.requeue(claim, delay_s=PAUSE_S)
        finally:
            turn.end()

    def _take_up(self, claim: Claim, pulse: Pulse, turn: Turn, since_s: float) -> Work | None:
        """Start an attempt when it is its turn; None where there is nothing to do here any more."""
        records = self._parts.records
        manifest = records.manifest(claim.job_id)
        keys = records.keys(claim.job_id)
        ending = records.ending(claim.job_id, keys)
        if ending is not None:
            settle(records, self._parts.news, manifest, ending, claim=claim)
            return None
        history = records.history(claim.job_id, keys)
        if self._aftermath.bury(claim, manifest, history):
            return None
        if not turn.take(pulse.stopped):
            self._aftermath.put_back(claim)
            return None
        if self._was_lost(claim, since_s):
            return None
        record = records.start_attempt(claim.job_id, claim.consumer, history.highest)
        if history.ended_silently:
            with suppress(QueueUnavailableError):
                self._parts.ledger.retried(claim.lane)
        status = statuses.running(manifest, record).model_copy(update={"lane": claim.lane})
        pulse.follow(record.attempt, status)
        return Work(claim, manifest, history, record, status, pulse, turn)

    def _was_lost(self, claim: Claim, since_s: float) -> bool:
        """Whether somebody else holds the job by now: this process may have been stopped since it claimed it.

        The attempt that it would begin would take precedence over the holder's. Asked only after a while.
        """
        if time.monotonic() - since_s >= self._parts.heartbeat_s:
            with suppress(QueueUnavailableError):  # then nobody else can have claimed it either
                return not self._parts.queue.renew(claim)
        return False

    def _attempt(self, work: Work) -> None:
        """Make one attempt; whatever it raises becomes a decision on what is next."""
        log = self._log.bind(job=work.manifest.id, attempt=work.record.attempt)
        log.debug("attempt started", lane=work.claim.lane.value)
        try:
            try:
                with span("attempt", work.manifest.id, attempt=work.record.attempt, worker=self._consumer):
                    result = self._make(work)
            finally:
                work.turn.end()
                work.pulse.hush()
        except (HalorowError, StageError, OSError) as error:
            log.info("attempt ended without a result", kind=type(error).__name__, error=str(error))
            self._aftermath.failed(work, error)
            return
        except Exception as error:
            log.exception("attempt ended by a fault of the program")
            self._aftermath.failed(work, error)
            return
        if result is not None:
            log.info("attempt committed", seconds=result.report.get("seconds"))
            self._conclude(work, result)

    def _make(self, work: Work) -> Result | None:
        """Compute and commit; None where the job went to the other lane instead."""
        manifest = work.manifest
        self._check_places(manifest)
        with self._workplace.at(manifest, work.record.attempt) as place, place.named(manifest):
            if self._moved(work, place.request(manifest, work.device)):
                return None
            report = self._run_stage(work, place)
            work.turn.end()
            self._tell_of_ranks(work, report)
            key = output_key(manifest.id, work.record.attempt, manifest.output_name)
            info = place.collect(self._parts.store, key, banded=report.band_rows > 0)
        result = Result(
            job_id=manifest.id,
            attempt=work.record.attempt,
            output=reference_to(info),
            output_name=manifest.output_name,
            pixels_sha256=report.pixels_sha256 or "",
            report=report.to_json(),
        )
        return commit(self._parts.records, result)

    def _check_places(self, manifest: Manifest) -> None:
        """Look once more where a job reads and writes. Raises KeyRefusedError."""
        try:
            self._parts.places.check(manifest, self._parts.records.owner)
        except KeyRefusedError as error:
            log_refusal("job", error, job=manifest.id, user=manifest.user)
            raise

    def _run_stage(self, work: Work, place: Place) -> Report:
        """Run the stage, and take note of what it tells."""

        def heed(event: dict[str, Any]) -> None:
            if event["event"] == "planned":
                left_s = alone_s(event["plan"])
                work.turn.expect(left_s)
                if left_s > TICK_S:  # else the end is news enough, or the heart tells of it
                    work.pulse.begin()
            work.pulse.tracker.take(event)

        return self._stage.run(
            place.request(work.manifest, work.device),
            on_event=heed,
            stall_s=self._stall_s,
            cancelled=work.pulse.stopped,
            token=place.token,
        )

    def _tell_of_ranks(self, work: Work, report: Report) -> None:
        """Log what each rank has done, and make it a span of the job's trace."""
        log = self._log.bind(job=work.manifest.id, attempt=work.record.attempt)
        for one in report.ranks:
            log.debug("rank reported", rank=one.rank, host=one.host, rows=one.rows, seconds=one.seconds)
            took_s = sum(one.seconds.values())
            facts = {"attempt": work.record.attempt, "rank": one.rank}
            past_span("rank", work.manifest.id, took_s, **facts, host=one.host)

    def _moved(self, work: Work, request: Request) -> bool:
        """Whether the job belongs to the gang lane, and has been put there."""
        move = self._router(request, work.manifest) if self._router is not None else None
        if move is None:
            return False
        self._aftermath.moved(work, Lane.GANG, move.ranks, move.load)
        return True

    def _conclude(self, work: Work, result: Result) -> None:
        """Tell of a committed result; what cannot be told now is left to reconciliation."""
        before = work.pulse.tracker.latest(work.status)
        with suppress(QueueUnavailableError, StoreError):
            settle(
                self._parts.records, self._parts.news, work.manifest, result, claim=work.claim, before=before
            )
