"""The job queue on Redis Streams.

A lane is three streams (priority above, at and below 0), each with one consumer group. An entry in
a group's pending list is a held job; how long it has been idle there is the age of its lease. A
claim is valid while the entry is pending for its consumer *and* has been delivered as often as the
claim says: a consumer that let its lease run out and then claimed the same job anew cannot mix the
two up. Each step is one script, hence atomic, and done once however often the call is repeated.
"""

import math
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import redis
from redis.commands.core import Script

from pipeline.models import Claim, Lane
from pipeline.redis import keys, scripts
from pipeline.redis.connection import redis_errors
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
        self._enqueue = client.register_script(scripts.ENQUEUE)
        self._claim = client.register_script(scripts.CLAIM)
        self._renew = client.register_script(scripts.RENEW)
        self._release = client.register_script(scripts.RELEASE)
        self._requeue = client.register_script(scripts.REQUEUE)
        self._count = client.register_script(scripts.COUNT)

    def __repr__(self) -> str:
        """Show the lease alone."""
        return f"RedisQueue(lease_s={self._lease_ms / 1000})"

    def enqueue(self, lane: Lane, job_id: str, priority: int = 0, delay_s: float = 0.0) -> bool:
        """Add a job, to be handed out in ``delay_s`` at the earliest; False if it is in the queue."""
        return bool(self._do(self.enqueue_step(lane, job_id, priority, delay_s)))

    def enqueue_step(self, lane: Lane, job_id: str, priority: int = 0, delay_s: float = 0.0) -> Step:
        """Return what :meth:`enqueue` does, to be done together with other steps."""
        arguments = (job_id, keys.band_of(priority) + 1, uuid4().hex, _milliseconds(delay_s))
        return self._step(self._enqueue, lane, "", arguments)

    def claim(self, lane: Lane, consumer: str, block_s: float) -> Claim | None:
        """Take the next job: one whose lease has run out, else the highest priority, else the oldest.

        Waits up to ``block_s`` seconds; None if nothing came.
        """
        deadline = time.monotonic() + block_s
        while True:
            answer = self._run(self._claim, lane, consumer, (consumer, self._lease_ms, uuid4().hex))
            if answer[0]:
                _, band, entry_id, job_id, deliveries = answer
                return Claim(
                    job_id=job_id,
                    lane=lane,
                    consumer=consumer,
                    stream=keys.streams(lane)[band - 1],
                    entry_id=entry_id,
                    deliveries=deliveries,
                )
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            _, due_ms, *last_ids = answer
            due_s = math.inf if due_ms < 0 else due_ms / 1000
            wait_s = min(left_s, due_s, LONGEST_WAIT_S, self._lease_ms / 1000)
            come = self._wait(lane, last_ids, wait_s)
            if not come and wait_s == left_s < due_s and block_s * 1000 < self._lease_ms:
                return None  # a lease that has run out meanwhile is found by the next call, which is near

    def renew(self, claim: Claim) -> bool:
        """Start the lease anew; False if another consumer holds the job by now."""
        return bool(self._run(self._renew, claim.lane, claim.consumer, _identity(claim)))

    def release(self, claim: Claim) -> bool:
        """Take the job out of the queue for good; False if another consumer holds it by now."""
        return bool(self._do(self.release_step(claim)))

    def release_step(self, claim: Claim) -> Step:
        """Return what :meth:`release` does, to be done together with other steps."""
        arguments = [*_identity(claim), uuid4().hex, claim.job_id]
        return self._step(self._release, claim.lane, claim.consumer, arguments)

    def requeue(self, claim: Claim, priority: int = 0, delay_s: float = 0.0) -> bool:
        """Give the job back, to be handed out again; False if another consumer holds it by now."""
        known_by, again = _identity(claim), [keys.band_of(priority) + 1, _milliseconds(delay_s)]
        arguments = [*known_by, uuid4().hex, claim.job_id, *again]
        return bool(self._run(self._requeue, claim.lane, claim.consumer, arguments))

    def contains(self, job_id: str) -> bool:
        """Whether the queue knows the job: waiting, delayed or held."""
        with redis_errors(self._client), self._client.pipeline(transaction=False) as batch:
            for lane in Lane:
                batch.hexists(keys.members(lane), job_id)
            return any(batch.execute())

    def depth(self, lane: Lane) -> int:
        """Jobs that wait in a lane, delayed ones included, held ones not."""
        return int(self._run(self._count, lane, "", [])[0])

    def held(self, lane: Lane) -> int:
        """Jobs of a lane that somebody holds."""
        return int(self._run(self._count, lane, "", [])[1])

    @staticmethod
    def _step(script: Script, lane: Lane, consumer: str, arguments: Sequence[str | int]) -> Step:
        """Return a script on the keys of a lane."""
        names = [*keys.streams(lane), keys.delayed(lane), keys.members(lane), keys.answer(lane, consumer)]
        return Step(script, names, arguments)

    def _do(self, step: Step) -> Any:  # noqa: ANN401  (each script has its own reply, said beside it)
        with redis_errors(self._client):
            return step.script(keys=step.keys, args=step.arguments)

    def _run(self, script: Script, lane: Lane, consumer: str, arguments: Sequence[str | int]) -> Any:  # noqa: ANN401  (as above)
        return self._do(self._step(script, lane, consumer, arguments))

    def _wait(self, lane: Lane, last_ids: list[str], wait_s: float) -> bool:
        """Return True when a stream has an entry after its last id, False after ``wait_s`` seconds.

        It reads outside the group, so nothing is taken: all who wait look again, and one wins.
        """
        after: dict[Any, Any] = dict(zip(keys.streams(lane), last_ids, strict=True))
        with redis_errors(self._client):
            return bool(self._client.xread(after, count=1, block=max(1, round(wait_s * 1000))))


def _milliseconds(delay_s: float) -> int:
    """Return a delay as Redis counts it, never turning a short one into none."""
    return max(1, round(delay_s * 1000)) if delay_s > 0 else 0


def _identity(claim: Claim) -> list[str | int]:
    """Return what the scripts know a claim by."""
    band = keys.streams(claim.lane).index(claim.stream) + 1
    return [band, claim.entry_id, claim.consumer, claim.deliveries]
