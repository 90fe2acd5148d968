"""The ledger on Redis: sums that every job changes by a constant amount of work."""

from typing import Any

import redis

from pipeline.models import Backlog, Lane, Load
from pipeline.redis import keys
from pipeline.redis.connection import redis_errors
from pipeline.redis.together import Step

# Keys: jobs, sums, members of the queue. What a job counts for is "pixels:core-milliseconds"; numbers stay
# text, since Lua's own conversion keeps 14 digits.
_COMMON = """
local JOBS, SUMS, MEMBERS = KEYS[1], KEYS[2], KEYS[3]
local function count(name, by) redis.call('HINCRBY', SUMS, name, by) end
local function take_out(job)
  local text = redis.call('HGET', JOBS, job)
  if not text then return nil end
  redis.call('HDEL', JOBS, job)
  local pixels, core_ms = text:match('^(%d+):(%d+)$')
  -- Redis takes no "-0".
  if pixels ~= '0' then count('todo_px', '-' .. pixels) end
  if core_ms ~= '0' then count('todo_core_ms', '-' .. core_ms) end
  return pixels, core_ms
end
"""

# Arguments: job, pixels, core-milliseconds.
ADD = (
    _COMMON
    + """
local job, pixels, core_ms = ARGV[1], ARGV[2], ARGV[3]
take_out(job)
redis.call('HSET', JOBS, job, pixels .. ':' .. core_ms)
count('todo_px', pixels)
count('todo_core_ms', core_ms)
return 1
"""
)

# Arguments: job, core-milliseconds that were spent on it if it is done, else 0.
REMOVE = (
    _COMMON
    + """
local pixels, core_ms = take_out(ARGV[1])
if pixels and ARGV[2] ~= '0' then
  count('done_px', pixels)
  count('done_core_ms', core_ms)
  count('spent_ms', ARGV[2])
end
return 1
"""
)

RETRIED = f"{_COMMON} count('retries', 1) return 1"

# What is left of jobs that have vanished from an empty queue is forgotten.
BACKLOG = (
    _COMMON
    + """
if redis.call('EXISTS', MEMBERS) == 0 then
  redis.call('DEL', JOBS)
  redis.call('HDEL', SUMS, 'todo_px', 'todo_core_ms')
end
local names = {'todo_px', 'todo_core_ms', 'done_px', 'done_core_ms', 'spent_ms', 'retries'}
return redis.call('HMGET', SUMS, unpack(names))
"""
)


class RedisLedger:
    """How much work each lane has before it; implements ``pipeline.ports.Ledger``. Safe between threads."""

    def __init__(self, client: redis.Redis) -> None:
        """Use ``client``."""
        self._client = client
        self._add = client.register_script(ADD)
        self._remove = client.register_script(REMOVE)
        self._retried = client.register_script(RETRIED)
        self._backlog = client.register_script(BACKLOG)

    def add(self, lane: Lane, job_id: str, load: Load) -> None:
        """Count a job that is in the queue; again with another load instead of the one before."""
        self._do(self.add_step(lane, job_id, load))

    def add_step(self, lane: Lane, job_id: str, load: Load) -> Step:
        """Return what :meth:`add` does, to be done together with other steps."""
        return Step(self._add, _keys(lane), [job_id, load.pixels, _milliseconds(load.core_s)])

    def remove(self, lane: Lane, job_id: str, spent_s: float = 0.0) -> None:
        """Count a job no longer; with ``spent_s`` core-seconds as done, without as dropped."""
        self._do(self.remove_step(lane, job_id, spent_s))

    def remove_step(self, lane: Lane, job_id: str, spent_s: float = 0.0) -> Step:
        """Return what :meth:`remove` does, to be done together with other steps."""
        return Step(self._remove, _keys(lane), [job_id, _milliseconds(spent_s)])

    def retried(self, lane: Lane) -> None:
        """Count an attempt that failed and is to be tried again."""
        self._do(self.retried_step(lane))

    def retried_step(self, lane: Lane) -> Step:
        """Return what :meth:`retried` does, to be done together with other steps."""
        return Step(self._retried, _keys(lane), [])

    def backlog(self, lane: Lane) -> Backlog:
        """Return what is counted now."""
        found = self._do(Step(self._backlog, _keys(lane), []))
        todo_px, todo_ms, done_px, done_ms, spent_ms, retries = (max(0, int(one or 0)) for one in found)
        return Backlog(
            todo=Load(pixels=todo_px, core_s=todo_ms / 1000),
            done=Load(pixels=done_px, core_s=done_ms / 1000),
            spent_s=spent_ms / 1000,
            retries=retries,
        )

    def _do(self, step: Step) -> Any:  # noqa: ANN401  (each script has its own reply)
        with redis_errors(self._client):
            return step.script(keys=step.keys, args=step.arguments)


def _keys(lane: Lane) -> list[str]:
    return [*keys.ledger(lane), keys.members(lane)]


def _milliseconds(seconds: float) -> int:
    """Return a time as the scripts count it, never turning a short one into none."""
    return max(1, round(seconds * 1000)) if seconds > 0 else 0
