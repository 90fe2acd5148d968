"""The status board on Redis: one hash per job, indexes by time, requests to stop."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import redis

from pipeline.models import TROUBLE, ClusterStatus, JobState, JobStatus
from pipeline.ports import CLUSTER_TTL_S
from pipeline.redis import keys
from pipeline.redis.connection import redis_errors

FINISHED_TTL_S = 30 * 24 * 3600
"""How long the status of a finished job is kept, unless told otherwise."""

_PAGE = 500  # entries of a list that are looked at in one round trip

CANCEL_TTL_S = 24 * 3600
"""A request to stop outlives any restart of the service, and does not stay for ever."""

# Keys: status, index, user's index, indexes of the failed and the dead. Arguments: JSON, state, attempt,
# user, created, job, whether final (1 or 0), time to live in seconds, whether to write in any case (1 or 0),
# when it ended in trouble (0: it has not).
_PUT = """
local function put()
  local json, state, attempt, user = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
  local created, job, final, ttl_s, forced = ARGV[5], ARGV[6], ARGV[7] == '1', ARGV[8], ARGV[9] == '1'
  local old = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'final')
  if old[1] and not forced and state ~= 'succeeded' then
    local old_attempt = tonumber(old[2])
    if old[1] == 'succeeded' or attempt < old_attempt then return 0 end
    if old[3] == '1' and not final and attempt == old_attempt then return 0 end
  end
  redis.call(
    'HSET', KEYS[1], 'json', json, 'state', state, 'attempt', attempt, 'final', ARGV[7], 'user', user
  )
  if final then redis.call('EXPIRE', KEYS[1], ttl_s) else redis.call('PERSIST', KEYS[1]) end
  redis.call('ZADD', KEYS[2], created, job)
  redis.call('ZADD', KEYS[3], created, job)
  redis.call('ZREM', KEYS[4], job)
  redis.call('ZREM', KEYS[5], job)
  if ARGV[10] ~= '0' then redis.call('ZADD', state == 'dead' and KEYS[5] or KEYS[4], ARGV[10], job) end
  return 1
end
"""

PUT = f"{_PUT} return put()"

TELL = f"""{_PUT}
local done = put()
local event = ARGV[11] .. ARGV[1] .. '}}'
for place = 12, #ARGV do redis.call('PUBLISH', ARGV[place], event) end
return done
"""
"""PUT, then the event: the arguments go on with its JSON up to the status, and the channels."""


class RedisStatusBoard:
    """What is known of every job now; implements ``pipeline.ports.StatusBoard``. Safe between threads."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        finished_ttl_s: int = FINISHED_TTL_S,
        cancel_ttl_s: int = CANCEL_TTL_S,
    ) -> None:
        """Use ``client``; forget finished jobs and unheeded requests to stop after the given seconds."""
        self._client = client
        self._finished_ttl_s = finished_ttl_s
        self._cancel_ttl_s = cancel_ttl_s
        self._put = client.register_script(PUT)

    def put(self, status: JobStatus) -> None:
        """Write a job's status, unless what is there is newer.

        Ignored are a lower attempt than the one known, anything unfinished after the end of the same
        attempt, and anything at all after success. Success itself is always written: it means that
        the one result exists, whichever attempt made it.
        """
        self._write(status, forced=False)

    def reset(self, status: JobStatus) -> None:
        """Write a job's status whatever is there: for an explicit retry and for rebuilding."""
        self._write(status, forced=True)

    def _write(self, status: JobStatus, *, forced: bool) -> None:
        with redis_errors(self._client):
            self._put(keys=put_keys(status), args=self.put_arguments(status, forced=forced))

    def put_arguments(self, status: JobStatus, *, forced: bool = False) -> list[str | int | float]:
        """Return the arguments of :data:`PUT`."""
        ended_at = status.finished_at
        return [
            status.model_dump_json(),
            status.state.value,
            status.attempt,
            status.user,
            status.created_at.timestamp(),
            status.id,
            int(status.state.is_final),
            self._finished_ttl_s,
            int(forced),
            ended_at.timestamp() if ended_at is not None and status.state in TROUBLE else 0,
        ]

    def get(self, job_id: str) -> JobStatus | None:
        """Return a job's status, None where it is not known (any more)."""
        with redis_errors(self._client):
            text = self._client.hget(keys.status(job_id), "json")
        return None if text is None else JobStatus.model_validate_json(str(text))

    def in_trouble(
        self, state: JobState, *, since: datetime | None = None, limit: int = 100
    ) -> list[JobStatus]:
        """Return the jobs that are failed now, or dead as ``state`` says, whose ends came last first."""
        index = keys.trouble(state)
        least = "-inf" if since is None else since.timestamp()
        with redis_errors(self._client):
            newest = self._client.zrevrangebyscore(index, "+inf", least, start=0, num=limit)
            ids = cast("Sequence[str]", newest)
            known = self._get_many(ids) if ids else {}
            gone = [job_id for job_id in ids if job_id not in known]
            if gone:
                self._client.zrem(index, *gone)
        return [*known.values()]

    def list(self, *, user: str | None = None, limit: int = 100) -> list[JobStatus]:
        """Return the newest jobs first, all users' or one user's."""
        index, found, offset = keys.jobs(user), dict[str, JobStatus](), 0
        with redis_errors(self._client):
            while len(found) < limit:
                page = self._client.zrevrange(index, offset, offset + limit - len(found) - 1)
                ids = cast("Sequence[str]", page)
                if not ids:
                    break
                known = self._get_many(ids)
                gone = [job_id for job_id in ids if job_id not in known]
                if gone:
                    self._client.zrem(index, *gone)
                found.update(known)
                offset += len(known)
        return [*found.values()]

    def _get_many(self, ids: Sequence[str]) -> dict[str, JobStatus]:
        """Return the statuses that exist, in the order of ``ids``."""
        with self._client.pipeline(transaction=False) as batch:
            for job_id in ids:
                batch.hget(keys.status(job_id), "json")
            texts = batch.execute()
        return {
            job_id: JobStatus.model_validate_json(text)
            for job_id, text in zip(ids, texts, strict=True)
            if text is not None
        }

    def delete(self, job_id: str) -> None:
        """Forget a job, and any request to stop it."""
        with redis_errors(self._client):
            user = self._client.hget(keys.status(job_id), "user")
            with self._client.pipeline() as batch:
                batch.delete(keys.status(job_id), keys.cancel(job_id))
                batch.zrem(keys.jobs(), job_id)
                for state in TROUBLE:
                    batch.zrem(keys.trouble(state), job_id)
                if user is not None:
                    batch.zrem(keys.jobs(str(user)), job_id)
                batch.execute()

    def prune(self) -> int:
        """Take jobs off the lists whose statuses have expired; return how many entries that were."""
        removed = 0
        with redis_errors(self._client):
            for index in [keys.jobs(), *map(keys.trouble, TROUBLE), *self._client.scan_iter(keys.jobs("*"))]:
                removed += self._prune(str(index))
        return removed

    def _prune(self, index: str) -> int:
        removed, gone = 0, list[str]()
        for job_id, _ in self._client.zscan_iter(index, count=_PAGE):
            gone.append(str(job_id))
            if len(gone) == _PAGE:
                removed += self._prune_some(index, gone)
                gone = []
        return removed + self._prune_some(index, gone)

    def _prune_some(self, index: str, ids: Sequence[str]) -> int:
        with self._client.pipeline(transaction=False) as batch:
            for job_id in ids:
                batch.exists(keys.status(job_id))
            gone = [job_id for job_id, there in zip(ids, batch.execute(), strict=True) if not there]
        return self._client.zrem(index, *gone) if gone else 0

    def put_cluster(self, status: ClusterStatus) -> None:
        """Write how the cluster is; forgotten after a minute."""
        with redis_errors(self._client):
            self._client.set(keys.cluster(), status.model_dump_json(), ex=CLUSTER_TTL_S)

    def cluster(self) -> ClusterStatus | None:
        """Return how the cluster is, None where no scheduler has said so lately."""
        with redis_errors(self._client):
            text = self._client.get(keys.cluster())
        return None if text is None else ClusterStatus.model_validate_json(str(text))

    def is_whole(self) -> bool:
        """Whether nothing has been lost since :meth:`mark_whole`.

        A server that has started since may have lost its last second, and with it how jobs ended.
        """
        with redis_errors(self._client):
            return bool(self._client.get(keys.whole()) == self._server_run())

    def mark_whole(self) -> None:
        """Say that the board holds all it should."""
        with redis_errors(self._client):
            self._client.set(keys.whole(), self._server_run())

    def _server_run(self) -> str:
        """Return what Redis calls itself from its start to its end."""
        about: dict[str, str] = self._client.info("server")
        return str(about["run_id"])

    def request_cancel(self, job_id: str) -> None:
        """Ask whoever works on the job to stop."""
        with redis_errors(self._client):
            self._client.set(keys.cancel(job_id), "1", ex=self._cancel_ttl_s)

    def cancel_requested(self, job_id: str) -> bool:
        """Whether somebody has asked for it."""
        with redis_errors(self._client):
            return bool(self._client.exists(keys.cancel(job_id)))

    def clear_cancel(self, job_id: str) -> None:
        """Take the request back."""
        with redis_errors(self._client):
            self._client.delete(keys.cancel(job_id))


def put_keys(status: JobStatus) -> list[str]:
    """Return the keys that :data:`PUT` works on."""
    indexes = [keys.jobs(), keys.jobs(status.user), *map(keys.trouble, (JobState.FAILED, JobState.DEAD))]
    return [keys.status(status.id), *indexes]
