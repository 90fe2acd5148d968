"""The queue in this process's memory: for tests of what stands on it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Condition

from pipeline.decisions.quotas import ADMITTED_S, Limits, too_fast, too_many_jobs, too_many_pixels
from pipeline.decisions.sharing import BANDS, Shares, band_of, cost_of, next_band, passed_over
from pipeline.models import (
    Claim,
    Lane,
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
