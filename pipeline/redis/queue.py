"""The job queue on Redis.

A lane is a sorted set of waiting jobs for each band of priorities, one of delayed jobs, and one of the
leases of those that are held. A claim is valid while the job is held under the claim's own entry by its
consumer: one that let its lease run out and then claimed the same job anew cannot mix the two up. Each
step is one script, hence atomic, and done once however often the call is repeated.
"""

import math
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import redis
from redis.commands.core import Script

from pipeline.decisions.quotas import ADMITTED_S, Limits, too_fast, too_many_jobs, too_many_pixels
from pipeline.decisions.sharing import band_of, cost_of
from pipeline.models import Claim, Lane, Share
from pipeline.ports import NOBODYS
from pipeline.redis import admission, keys, scripts
from pipeline.redis.connection import redis_errors
from pipeline.redis.scripts import SAME_BAND
from pipeline.redis.together import Step

DEFAULT_LEASE_S = 30.0
LONGEST_WAIT_S = 2.0
"""A waiting claim looks again at least this often: leases run out, and delays are set, without Redis
telling anybody. Every look of every idle worker costs both sides, so it is not more often."""


class RedisQueue:
    """Jobs that wait, on Redis 6.2 or newer; implements ``pipeline.ports.JobQueue``.

    Safe to share between threads. Consumers should carry names that are never used again.
    """

    def __init__(self, client: redis.Redis, *, lease_s: float = DEFAULT_LEASE_S) -> None:
        """Use ``client``; a job whose lease is older than ``lease_s`` seconds goes to whoever claims next."""
        self._client = client
        self._lease_ms = max(1, round(lease_s * 1000))
        self._admit = client.register_script(admission.ADMIT)
        self._withdraw = client.register_script(admission.WITHDRAW)
        self._enqueue = client.register_script(scripts.ENQUEUE)
        self._claim = client.register_script(scripts.CLAIM)
        self._renew = client.register_script(scripts.RENEW)
        self._release = client.register_script(scripts.RELEASE)
        self._requeue = client.register_script(scripts.REQUEUE)
        self._count = client.register_script(scripts.COUNT)

    def __repr__(self) -> str:
        """Show the lease alone."""
        return f"RedisQueue(lease_s={self._lease_ms / 1000})"

    def admit(self, lane: Lane, job_id: str, share: Share, limits: Limits) -> None:
        """Keep a place for a job that is about to be submitted. Raises QuotaError."""
        counted = [name for each in Lane for name in (keys.load(each), keys.members(each))]
        names = [*lane_keys(lane, ""), keys.rate(share.user), *counted]
        lasts_ms = round(ADMITTED_S * 1000)
        most = (limits.user_pixels, limits.jobs, limits.user_jobs_per_minute)
        arguments = (job_id, band_of(0) + 1, share.user, cost_of(share.pixels), share.pixels, lasts_ms, *most)
        full, has, per_s = self._do(Step(self._admit, names, arguments))
        if full == "pixels":
            raise too_many_pixels(share.user, int(float(has)), share.pixels, limits, float(per_s))
        if full == "jobs":
            raise too_many_jobs(int(float(has)), limits, float(per_s))
        if full == "rate":
            raise too_fast(share.user, limits, float(per_s) / 1000)

    def withdraw(self, lane: Lane, job_id: str) -> None:
        """Give back the place of a job that is not submitted after all; all others stay."""
        self._run(self._withdraw, lane, "", [job_id])

    def enqueue(
        self, lane: Lane, job_id: str, priority: int = 0, delay_s: float = 0.0, share: Share = NOBODYS
    ) -> bool:
        """Add a job, to be handed out in ``delay_s`` at the earliest; False if it is in the queue."""
        return bool(self._do(self.enqueue_step(lane, job_id, priority, delay_s, share)))

    def enqueue_step(
        self, lane: Lane, job_id: str, priority: int = 0, delay_s: float = 0.0, share: Share = NOBODYS
    ) -> Step:
        """Return what :meth:`enqueue` does, to be done together with other steps."""
        place = (job_id, band_of(priority) + 1, uuid4().hex, _milliseconds(delay_s))
        return self._step(self._enqueue, lane, "", (*place, share.user, cost_of(share.pixels), share.pixels))

    def claim(self, lane: Lane, consumer: str, block_s: float) -> Claim | None:
        """Take the next job: one whose lease has run out, else the next in turn (``decisions.sharing``).

        Waits up to ``block_s`` seconds; None if nothing came.
        """
        deadline = time.monotonic() + block_s
        while True:
            answer = self._run(self._claim, lane, consumer, (consumer, self._lease_ms, uuid4().hex))
            if answer[0]:
                entry_id, job_id, deliveries = answer
                return Claim(
                    job_id=job_id, lane=lane, consumer=consumer, entry_id=entry_id, deliveries=deliveries
                )
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            _, due_ms, last_id = answer
            due_s = math.inf if due_ms < 0 else due_ms / 1000
            wait_s = min(left_s, due_s, LONGEST_WAIT_S, self._lease_ms / 1000)
            come = self._wait(lane, last_id, wait_s)
            if not come and wait_s == left_s < due_s and block_s * 1000 < self._lease_ms:
                return None  # a lease that has run out meanwhile is found by the next call, which is near

    def renew(self, claim: Claim) -> bool:
        """Start the lease anew; False if another consumer holds the job by now."""
        return bool(self._run(self._renew, claim.lane, claim.consumer, [*_identity(claim), self._lease_ms]))

    def release(self, claim: Claim) -> bool:
        """Take the job out of the queue for good; False if another consumer holds it by now."""
        return bool(self._do(self.release_step(claim)))

    def release_step(self, claim: Claim) -> Step:
        """Return what :meth:`release` does, to be done together with other steps."""
        return self._step(self._release, claim.lane, claim.consumer, [*_identity(claim), uuid4().hex])

    def requeue(self, claim: Claim, priority: int | None = None, delay_s: float = 0.0) -> bool:
        """Give the job back to its place, to be handed out again; False if another consumer holds it."""
        band = SAME_BAND if priority is None else band_of(priority) + 1
        again: list[str | int] = [uuid4().hex, band, _milliseconds(delay_s)]
        return bool(self._run(self._requeue, claim.lane, claim.consumer, [*_identity(claim), *again]))

    def contains(self, job_id: str) -> bool:
        """Whether the queue knows the job: waiting, delayed or held."""
        return bool(self.known([job_id]))

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Return those of the jobs that the queue knows, in one round trip."""
        if not job_ids:
            return set()
        with redis_errors(self._client), self._client.pipeline(transaction=False) as batch:
            for lane in Lane:
                batch.hmget(keys.members(lane), list(job_ids))
            answers = batch.execute()
        found = zip(job_ids, *answers, strict=True)
        return {job_id for job_id, *lanes in found if any(lane is not None for lane in lanes)}

    def depth(self, lane: Lane) -> int:
        """Jobs that wait in a lane, delayed ones included, held ones not."""
        return int(self._run(self._count, lane, "", [])[0])

    def held(self, lane: Lane) -> int:
        """Jobs of a lane that somebody holds."""
        return int(self._run(self._count, lane, "", [])[1])

    def next_up(self, lane: Lane, limit: int) -> list[str]:
        """Return the ids of the jobs of each priority that wait and come next, up to ``limit`` of each."""
        with redis_errors(self._client), self._client.pipeline(transaction=False) as batch:
            for band in keys.waiting(lane):
                batch.zrange(band, 0, limit - 1)
            return [str(job_id) for band in batch.execute() for job_id in band]

    @staticmethod
    def _step(script: Script, lane: Lane, consumer: str, arguments: Sequence[str | float]) -> Step:
        """Return a script on the keys of a lane."""
        return Step(script, lane_keys(lane, consumer), arguments)

    def _do(self, step: Step) -> Any:  # noqa: ANN401  (each script has its own reply, said beside it)
        with redis_errors(self._client):
            return step.script(keys=step.keys, args=step.arguments)

    def _run(self, script: Script, lane: Lane, consumer: str, arguments: Sequence[str | float]) -> Any:  # noqa: ANN401  (as above)
        return self._do(self._step(script, lane, consumer, arguments))

    def _wait(self, lane: Lane, last_id: str, wait_s: float) -> bool:
        """Return True when another job begins to wait, False after ``wait_s`` seconds.

        Nothing is taken by it: all who wait look again, and one wins.
        """
        with redis_errors(self._client):
            come = self._client.xread({keys.wake(lane): last_id}, count=1, block=max(1, round(wait_s * 1000)))
        return bool(come)


def lane_keys(lane: Lane, consumer: str) -> list[str]:
    """Return the keys of a lane, as all scripts take them."""
    return [
        *keys.waiting(lane),
        *keys.shares(lane),
        keys.delayed(lane),
        keys.leases(lane),
        keys.holders(lane),
        keys.members(lane),
        keys.load(lane),
        keys.turn(lane),
        keys.wake(lane),
        keys.answer(lane, consumer),
    ]


def _milliseconds(delay_s: float) -> int:
    """Return a delay as Redis counts it, never turning a short one into none."""
    return max(1, round(delay_s * 1000)) if delay_s > 0 else 0


def _identity(claim: Claim) -> list[str | int]:
    """Return what the scripts know a claim by."""
    return [claim.job_id, claim.entry_id, claim.consumer, claim.deliveries]
