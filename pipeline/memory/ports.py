"""Queue, board and bus in this process's memory: for tests of what stands on them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from queue import Empty, SimpleQueue
from threading import Condition, Lock

from pipeline.decisions.quotas import ADMITTED_S, Limits, too_fast, too_many_jobs, too_many_pixels
from pipeline.decisions.sharing import BANDS, Shares, band_of, cost_of, next_band, passed_over
from pipeline.models import (
    Backlog,
    Claim,
    ClusterStatus,
    Event,
    JobState,
    JobStatus,
    Lane,
    Load,
    Share,
)
from pipeline.ports import NOBODYS


@dataclass
class _Entry:
    """A job in the queue; ``due`` and ``leased_until`` in the clock's seconds."""

    job_id: str
    band: int
    order: int
    due: float
    share: Share
    tag: float = 0.0
    admitted: bool = False
    consumer: str | None = None
    leased_until: float = 0.0
    deliveries: int = 0


@dataclass
class _Lane:
    """The jobs of a lane, and whose turn it is."""

    jobs: dict[str, _Entry] = field(default_factory=dict)
    shares: list[Shares] = field(default_factory=lambda: [Shares() for _ in range(BANDS)])
    passed: list[int] = field(default_factory=lambda: [0] * BANDS)


class MemoryQueue:
    """Implements ``pipeline.ports.JobQueue``; safe between threads of this process.

    How fast it empties it does not know.
    """

    def __init__(self, *, lease_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Hand a job to another after ``lease_s`` seconds of ``clock`` without renewal."""
        self._lease_s = lease_s
        self._clock = clock
        self._changed = Condition()
        self._order = count()
        self._lanes: dict[Lane, _Lane] = {lane: _Lane() for lane in Lane}
        self._rates: dict[str, tuple[float, float]] = {}

    def admit(self, lane: Lane, job_id: str, share: Share, limits: Limits) -> None:
        """Keep a place for a job that is about to be submitted. Raises QuotaError."""
        with self._changed:
            if job_id in self._lanes[lane].jobs:
                return
            there = [entry.share for one in self._lanes.values() for entry in one.jobs.values()]
            pixels = sum(one.pixels for one in there if one.user == share.user)
            if limits.user_pixels and pixels + share.pixels > limits.user_pixels:
                raise too_many_pixels(share.user, pixels, share.pixels, limits, 0.0)
            if limits.jobs and len(there) >= limits.jobs:
                raise too_many_jobs(len(there), limits, 0.0)
            if limits.user_jobs_per_minute:
                self._count_submission(share.user, limits)
            due = self._clock() + ADMITTED_S
            entry = _Entry(job_id, band_of(0), next(self._order), due, share, admitted=True)
            self._lanes[lane].jobs[job_id] = entry

    def _count_submission(self, user: str, limits: Limits) -> None:
        most, at = limits.user_jobs_per_minute, self._clock()
        left, known_at = self._rates.get(user, (most, at))
        left = min(most, left + (at - known_at) * most / 60)
        if left < 1:
            raise too_fast(user, limits, (1 - left) * 60 / most)
        self._rates[user] = (left - 1, at)

    def withdraw(self, lane: Lane, job_id: str) -> None:
        """Give back the place of a job that is not submitted after all; all others stay."""
        with self._changed:
            entry = self._lanes[lane].jobs.get(job_id)
            if entry is not None and entry.admitted and entry.consumer is None:
                del self._lanes[lane].jobs[job_id]

    def enqueue(
        self, lane: Lane, job_id: str, priority: int = 0, delay_s: float = 0.0, share: Share = NOBODYS
    ) -> bool:
        """Add a job, to be handed out in ``delay_s`` at the earliest; False if it is in the queue."""
        with self._changed:
            known = self._lanes[lane].jobs.get(job_id)
            if known is not None and (not known.admitted or known.consumer is not None):
                return False
            band = band_of(priority)
            tag = self._lanes[lane].shares[band].admit(share.user, cost_of(share.pixels))
            self._put(lane, _Entry(job_id, band, next(self._order), self._clock() + delay_s, share, tag))
            return True

    def claim(self, lane: Lane, consumer: str, block_s: float) -> Claim | None:
        """Take the next job, waiting up to ``block_s`` seconds; None if nothing came."""
        deadline = time.monotonic() + block_s
        with self._changed:
            while True:
                entry = self._next(self._lanes[lane])
                if entry is not None:
                    entry.consumer = consumer
                    entry.order = next(self._order)
                    entry.leased_until = self._clock() + self._lease_s
                    entry.deliveries += 1
                    return Claim(
                        job_id=entry.job_id,
                        lane=lane,
                        consumer=consumer,
                        entry_id=str(entry.order),
                        deliveries=entry.deliveries,
                    )
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return None
                # Short slices: jobs fall due and leases run out without anybody telling.
                self._changed.wait(min(left_s, 0.01))

    def renew(self, claim: Claim) -> bool:
        """Start the lease anew; False if another consumer holds the job by now."""
        with self._changed:
            entry = self._owned(claim)
            if entry is None:
                return False
            entry.leased_until = self._clock() + self._lease_s
            return True

    def release(self, claim: Claim) -> bool:
        """Take the job out of the queue for good; False if another consumer holds it by now."""
        with self._changed:
            if self._owned(claim) is None:
                return False
            del self._lanes[claim.lane].jobs[claim.job_id]
            return True

    def requeue(self, claim: Claim, priority: int | None = None, delay_s: float = 0.0) -> bool:
        """Give the job back to its place, to be handed out again; False if another consumer holds it."""
        with self._changed:
            held = self._owned(claim)
            if held is None:
                return False
            band, tag, share = held.band if priority is None else band_of(priority), held.tag, held.share
            if band != held.band or delay_s:
                fresh = self._lanes[claim.lane].shares[band].admit(share.user, cost_of(share.pixels))
                tag = tag if band == held.band else fresh
            due = self._clock() + delay_s
            self._put(claim.lane, _Entry(claim.job_id, band, next(self._order), due, share, tag))
            return True

    def contains(self, job_id: str) -> bool:
        """Whether the queue knows the job: waiting, delayed or held."""
        return bool(self.known([job_id]))

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Return those of the jobs that the queue knows."""
        with self._changed:
            return {one for one in job_ids if any(one in lane.jobs for lane in self._lanes.values())}

    def depth(self, lane: Lane) -> int:
        """Jobs that wait in a lane, delayed ones included, held ones not."""
        with self._changed:
            return sum(entry.consumer is None for entry in self._lanes[lane].jobs.values())

    def held(self, lane: Lane) -> int:
        """Jobs of a lane that somebody holds."""
        with self._changed:
            return sum(entry.consumer is not None for entry in self._lanes[lane].jobs.values())

    def next_up(self, lane: Lane, limit: int) -> list[str]:
        """Return the ids of the jobs of each priority that wait and come next, up to ``limit`` of each."""
        with self._changed:
            at, jobs = self._clock(), self._lanes[lane].jobs.values()
            there = [one for one in jobs if one.consumer is None and one.due <= at]
        there.sort(key=lambda entry: (entry.tag, entry.job_id))
        bands = [[one.job_id for one in there if one.band == band] for band in range(BANDS)]
        return [job_id for band in bands for job_id in band[:limit]]

    def forget_everything(self) -> None:
        """Lose all jobs, as Redis may."""
        with self._changed:
            self._lanes = {lane: _Lane() for lane in Lane}
            self._rates.clear()

    def _put(self, lane: Lane, entry: _Entry) -> None:
        self._lanes[lane].jobs[entry.job_id] = entry
        self._changed.notify_all()

    def _next(self, lane: _Lane) -> _Entry | None:
        """Return the entry to hand out: lease run out first, then whose turn it is."""
        now = self._clock()
        lost = [one for one in lane.jobs.values() if one.consumer is not None and one.leased_until <= now]
        if lost:
            return min(lost, key=lambda entry: (entry.leased_until, entry.job_id))
        bands: list[list[_Entry]] = [[] for _ in range(BANDS)]
        for entry in lane.jobs.values():
            if entry.consumer is None and entry.due <= now:
                bands[entry.band].append(entry)
        waiting = [bool(entries) for entries in bands]
        band = next_band(waiting, lane.passed)
        if band is None:
            return None
        lane.passed = passed_over(waiting, lane.passed, band)
        chosen = min(bands[band], key=lambda entry: (entry.tag, entry.job_id))
        lane.shares[band].hand_out(chosen.tag)
        return chosen

    def _owned(self, claim: Claim) -> _Entry | None:
        entry = self._lanes[claim.lane].jobs.get(claim.job_id)
        if entry is None:
            return None
        held = (str(entry.order), entry.consumer, entry.deliveries)
        return entry if held == (claim.entry_id, claim.consumer, claim.deliveries) else None


class MemoryLedger:
    """Implements ``pipeline.ports.Ledger``; safe between threads of this process."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._lock = Lock()
        self._jobs: dict[Lane, dict[str, Load]] = {lane: {} for lane in Lane}
        self._sums = {lane: Backlog() for lane in Lane}

    def add(self, lane: Lane, job_id: str, load: Load) -> None:
        """Count a job that is in the queue; again with another load instead of the one before."""
        with self._lock:
            self._jobs[lane][job_id] = load

    def remove(self, lane: Lane, job_id: str, spent_s: float = 0.0) -> None:
        """Count a job no longer; with ``spent_s`` core-seconds as done, without as dropped."""
        with self._lock:
            load = self._jobs[lane].pop(job_id, None)
            if load is not None and spent_s > 0:
                sums = self._sums[lane]
                spent = {"done": sums.done + load, "spent_s": sums.spent_s + spent_s}
                self._sums[lane] = sums.model_copy(update=spent)

    def retried(self, lane: Lane) -> None:
        """Count an attempt that failed and is to be tried again."""
        with self._lock:
            sums = self._sums[lane]
            self._sums[lane] = sums.model_copy(update={"retries": sums.retries + 1})

    def backlog(self, lane: Lane) -> Backlog:
        """Return what is counted now."""
        with self._lock:
            return self._sums[lane].model_copy(update={"todo": sum(self._jobs[lane].values(), Load())})


@dataclass
class MemoryBoard:
    """Implements ``pipeline.ports.StatusBoard``; safe between threads of this process."""

    _statuses: dict[str, JobStatus] = field(default_factory=dict)
    _cancelled: set[str] = field(default_factory=set)
    _whole: bool = False
    _cluster: ClusterStatus | None = None
    _lock: Lock = field(default_factory=Lock)

    def put(self, status: JobStatus) -> None:
        """Write a job's status, unless what is there is newer (see ``RedisStatusBoard.put``)."""
        with self._lock:
            known = self._statuses.get(status.id)
            if known is None or not _outdated(status, known):
                self._statuses[status.id] = status

    def reset(self, status: JobStatus) -> None:
        """Write a job's status whatever is there: for an explicit retry and for rebuilding."""
        with self._lock:
            self._statuses[status.id] = status

    def get(self, job_id: str) -> JobStatus | None:
        """Return a job's status, None where it is not known (any more)."""
        with self._lock:
            return self._statuses.get(job_id)

    def in_trouble(
        self, state: JobState, *, since: datetime | None = None, limit: int = 100
    ) -> list[JobStatus]:
        """Return the jobs that are failed now, or dead as ``state`` says, whose ends came last first."""
        with self._lock:
            bad = [(one.finished_at, one) for one in self._statuses.values() if one.state is state]
        ended = [(at, one) for at, one in bad if at is not None and (since is None or at >= since)]
        return [one for _, one in sorted(ended, key=lambda pair: pair[0], reverse=True)][:limit]

    def list(self, *, user: str | None = None, limit: int = 100) -> list[JobStatus]:
        """Return the newest jobs first, all users' or one user's."""
        with self._lock:
            chosen = [status for status in self._statuses.values() if user in {None, status.user}]
        return sorted(chosen, key=lambda status: status.created_at, reverse=True)[:limit]

    def delete(self, job_id: str) -> None:
        """Forget a job, and any request to stop it."""
        with self._lock:
            self._statuses.pop(job_id, None)
            self._cancelled.discard(job_id)

    def prune(self) -> int:
        """Return 0: nothing expires here."""
        return 0

    def put_cluster(self, status: ClusterStatus) -> None:
        """Write how the cluster is."""
        self._cluster = status

    def cluster(self) -> ClusterStatus | None:
        """Return how the cluster is, None where nobody has said so."""
        return self._cluster

    def is_whole(self) -> bool:
        """Whether nothing has been lost since :meth:`mark_whole`."""
        return self._whole

    def mark_whole(self) -> None:
        """Say that the board holds all it should."""
        self._whole = True

    def request_cancel(self, job_id: str) -> None:
        """Ask whoever works on the job to stop."""
        with self._lock:
            self._cancelled.add(job_id)

    def cancel_requested(self, job_id: str) -> bool:
        """Whether somebody has asked for it."""
        with self._lock:
            return job_id in self._cancelled

    def clear_cancel(self, job_id: str) -> None:
        """Take the request back."""
        with self._lock:
            self._cancelled.discard(job_id)


def _outdated(new: JobStatus, known: JobStatus) -> bool:
    if new.state is JobState.SUCCEEDED:
        return False
    if known.state is JobState.SUCCEEDED or new.attempt < known.attempt:
        return True
    return known.state.is_final and not new.state.is_final and new.attempt == known.attempt


class MemoryBus:
    """Implements ``pipeline.ports.EventBus``; safe between threads of this process."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._lock = Lock()
        self._subscriptions: list[MemorySubscription] = []

    def publish(self, event: Event) -> None:
        """Send an event to all who listen to its job or to everything."""
        with self._lock:
            listening = [ear for ear in self._subscriptions if ear.wants(event)]
        for ear in listening:
            ear.hear(event)

    def subscribe(self, job_id: str | None = None) -> "MemorySubscription":
        """Listen to one job, or to all; the subscription stands when this returns."""
        return self._join(MemorySubscription(job_id, self._forget))

    def subscribe_endings(self) -> "MemorySubscription":
        """Listen to how all jobs end; the subscription stands when this returns."""
        return self._join(MemorySubscription(None, self._forget, endings=True))

    def _join(self, subscription: "MemorySubscription") -> "MemorySubscription":
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def _forget(self, subscription: "MemorySubscription") -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)


class MemorySubscription:
    """An open ear on a :class:`MemoryBus`."""

    def __init__(
        self, job_id: str | None, forget: Callable[["MemorySubscription"], None], *, endings: bool = False
    ) -> None:
        """Listen to ``job_id`` or all jobs, to ``endings`` alone or everything; ``forget`` on closing."""
        self._job_id = job_id
        self._endings = endings
        self._forget = forget
        self._events = SimpleQueue[Event | None]()

    def wants(self, event: Event) -> bool:
        """Whether an event is for this ear."""
        return self._job_id in {None, event.job_id} and (event.status.state.is_final or not self._endings)

    def hear(self, event: Event) -> None:
        """Keep an event for ``next``."""
        self._events.put(event)

    def next(self, timeout_s: float) -> Event | None:
        """Return the next event, None if none came within ``timeout_s`` seconds or after ``close``."""
        try:
            return self._events.get(timeout=max(0.0, timeout_s))
        except Empty:
            return None

    def close(self) -> None:
        """Stop listening, and wake whoever waits."""
        self._forget(self)
        self._events.put(None)
