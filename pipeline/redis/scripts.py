"""The queue's Lua scripts: each is one atomic step inside Redis.

All take the same keys (``queue.lane_keys``). None takes longer the more jobs there are, but for the
logarithm of their number. They need Redis 6.2. Whoever repeats a call after a broken connection sends
the same nonce; the step is then not done twice, and the first answer is given again. Who is next is
decided as in ``pipeline.decisions.sharing``, whose tests run on these too.
"""

from pipeline.decisions.sharing import PATIENCE
from pipeline.redis.lua import COMMON

PROMOTED_AT_ONCE = 1000
"""Delayed jobs moved to where they wait by one claim at most, so that no script runs for long."""

SAME_BAND = 0
"""In place of a band, which are counted from 1: the one that the job is in."""

PACE_MS = 10_000
"""How long jobs that leave the queue are counted to tell how fast it empties."""

# Arguments: job, band, nonce, delay in ms, user, cost, pixels. Returns 1 if added (by this very call),
# else 0.
ENQUEUE = (
    COMMON
    + """
local job, nonce, delay_ms = ARGV[1], ARGV[3], tonumber(ARGV[4])
local m = {band = tonumber(ARGV[2]), user = ARGV[5], cost = tonumber(ARGV[6]), pixels = ARGV[7]}
m.nonce = nonce
local known = member(job)
if known then
  if known.nonce == nonce then return 1 end
  -- One that was let in to be submitted takes its place now; later it would be on its way already.
  if known.nonce ~= ADMITTED or redis.call('ZREM', DELAYED, job) == 0 then return 0 end
  forget(job, known)
end
m.tag = admit(m.band, m.user, m.cost)
redis.call('HINCRBY', LOAD, m.user, m.pixels)
put(job, m, delay_ms)
return 1
"""
)

# Arguments: consumer, lease in ms, nonce. Returns {nonce, job, deliveries}, or, when there is nothing,
# {'', ms until the next delayed job is due or -1, last id of the stream to listen to}.
CLAIM = (
    COMMON
    + f"""
local consumer, lease_ms, nonce = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local again = remembered(nonce)
if again then return again end
local now = now_ms()

local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', now, 'LIMIT', 0, {PROMOTED_AT_ONCE})
for _, job in ipairs(due) do
  redis.call('ZREM', DELAYED, job)
  local m = member(job)
  if m then wait(job, m) end
end

local function take(job, deliveries)
  redis.call('HSET', HOLDERS, job, nonce .. ':' .. deliveries .. ':' .. consumer)
  redis.call('ZADD', LEASES, now + lease_ms, job)
  return remember({{nonce, job, deliveries}})
end

while true do
  local job = redis.call('ZRANGEBYSCORE', LEASES, '-inf', now, 'LIMIT', 0, 1)[1]
  if not job then break end
  local holder = redis.call('HGET', HOLDERS, job)
  if holder and redis.call('HEXISTS', MEMBERS, job) == 1 then
    return take(job, tonumber(holder:match('^[^:]*:(%d+)')) + 1)
  end
  -- Somebody else has removed the job: nothing is left to work on.
  let_go(job)
end

-- As next_band and passed_over in pipeline.decisions.sharing.
local function next_band()
  local waits, passed, first, aged = {{}}, {{}}, nil, nil
  for band = 1, 3 do
    waits[band] = redis.call('EXISTS', WAITING[band]) == 1
    passed[band] = field('passed' .. band)
    if waits[band] then
      first = first or band
      if passed[band] >= {PATIENCE} and (not aged or passed[band] > passed[aged]) then aged = band end
    end
  end
  local served = aged or first
  if not served then return nil end
  if passed[served] > 0 then redis.call('HSET', TURN, 'passed' .. served, 0) end
  for band = served + 1, 3 do
    if waits[band] then redis.call('HINCRBY', TURN, 'passed' .. band, 1) end
  end
  return served
end

while true do
  local band = next_band()
  if not band then break end
  local popped = redis.call('ZPOPMIN', WAITING[band])
  local job, tag = popped[1], tonumber(popped[2])
  local present = math.max(field('present' .. band), tag)
  redis.call('HSET', TURN, 'present' .. band, exact(present))
  redis.call('ZREMRANGEBYSCORE', SHARES[band], '-inf', exact(present))
  if redis.call('HEXISTS', MEMBERS, job) == 1 then return take(job, 1) end
end

local last = '0-0'
if redis.call('EXISTS', WAKE) == 1 then
  local about = redis.call('XINFO', 'STREAM', WAKE)
  for at = 1, #about, 2 do
    if about[at] == 'last-generated-id' then last = about[at + 1] end
  end
end
local next_due = redis.call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
local wait_ms = next_due[2] and math.max(0, tonumber(next_due[2]) - now) or -1
return {{'', wait_ms, last}}
"""
)

# Arguments: job, entry, consumer, deliveries, lease in ms. Returns 1 if renewed, else 0.
RENEW = (
    COMMON
    + """
if not owned(ARGV[1], ARGV[2], ARGV[3], ARGV[4]) then return 0 end
redis.call('ZADD', LEASES, now_ms() + tonumber(ARGV[5]), ARGV[1])
return 1
"""
)

# Arguments: job, entry, consumer, deliveries, nonce. Returns 1 if released, else 0.
RELEASE = (
    COMMON
    + f"""
local job, nonce = ARGV[1], ARGV[5]
if remembered(nonce) then return 1 end
if not owned(job, ARGV[2], ARGV[3], ARGV[4]) then return 0 end
let_go(job)
local m = member(job)
if m then
  forget(job, m)
  local jobs = redis.call('HINCRBY', TURN, 'left', 1)
  local pixels = redis.call('HINCRBY', TURN, 'left_px', m.pixels)
  local now, since = now_ms(), field('since')
  if now - since > {PACE_MS} then
    local s = (now - since) / 1000
    if since > 0 then
      redis.call('HSET', TURN, 'jobs_per_s', exact(jobs / s), 'px_per_s', exact(pixels / s))
    end
    redis.call('HSET', TURN, 'since', now, 'left', 0, 'left_px', 0)
  end
end
remember({{nonce}})
return 1
"""
)

# Arguments: as for RELEASE, then new band or SAME_BAND, delay in ms. Returns 1 if given back, else 0.
REQUEUE = (
    COMMON
    + f"""
local job, nonce, band, delay_ms = ARGV[1], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
if remembered(nonce) then return 1 end
if not owned(job, ARGV[2], ARGV[3], ARGV[4]) then return 0 end
let_go(job)
local m = member(job)
if m then
  -- It keeps its place. Where it waits because it failed, its user is charged for another go.
  if band == {SAME_BAND} then band = m.band end
  if band ~= m.band then
    m.band, m.tag = band, admit(band, m.user, m.cost)
  elseif delay_ms > 0 then
    admit(band, m.user, m.cost)
  end
  m.nonce = nonce
  put(job, m, delay_ms)
end
remember({{nonce}})
return 1
"""
)

# Returns {jobs that wait, jobs that are held}.
COUNT = (
    COMMON
    + """
local waiting = redis.call('ZCARD', DELAYED)
for band = 1, 3 do waiting = waiting + redis.call('ZCARD', WAITING[band]) end
return {waiting, redis.call('ZCARD', LEASES)}
"""
)
