"""The queue's Lua scripts: each is one atomic step inside Redis.

All take the same keys: the three streams of a lane from high to low, its delayed set, its members,
and the last answer of the consumer. They need Redis 6.2. Whoever repeats a call after a broken
connection sends the same nonce; the step is then not done twice, and the first answer is given
again.
"""

from pipeline.redis.keys import GROUP

ANSWER_TTL_MS = 60_000
"""Longer than a client goes on repeating a call (``connection.PATIENCE_S``)."""

PROMOTED_AT_ONCE = 1000
"""Delayed jobs moved to their streams by one claim at most, so that no script runs for long."""

_COMMON = f"""
local GROUP, ANSWER_TTL_MS = '{GROUP}', {ANSWER_TTL_MS}
local DELAYED, MEMBERS, ANSWER = KEYS[4], KEYS[5], KEYS[6]

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function append(band, job)
  if redis.call('EXISTS', KEYS[band]) == 0 then
    redis.call('XGROUP', 'CREATE', KEYS[band], GROUP, '0', 'MKSTREAM')
  end
  redis.call('XADD', KEYS[band], '*', 'job', job)
end

local function add(job, band, nonce, delay_ms)
  redis.call('HSET', MEMBERS, job, band .. ':' .. nonce)
  if delay_ms > 0 then
    redis.call('ZADD', DELAYED, now_ms() + delay_ms, job)
  else
    append(band, job)
  end
end

-- The pending entries of a stream; none, and a new group, where somebody has removed the group.
local function pending(band, ...)
  local reply = redis.pcall('XPENDING', KEYS[band], GROUP, ...)
  if not reply.err then return reply end
  if redis.call('EXISTS', KEYS[band]) == 1 then
    redis.call('XGROUP', 'CREATE', KEYS[band], GROUP, '0')
  end
  return {{}}
end

local function owned(band, entry, consumer, deliveries)
  local found = pending(band, entry, entry, 1)[1]
  return found and found[2] == consumer and found[4] == deliveries
end

local function drop(band, entry)
  redis.call('XACK', KEYS[band], GROUP, entry)
  redis.call('XDEL', KEYS[band], entry)
end

local function remember(answer)
  redis.call('SET', ANSWER, cjson.encode(answer), 'PX', ANSWER_TTL_MS)
  return answer
end

local function remembered(nonce)
  local text = redis.call('GET', ANSWER)
  local answer = text and cjson.decode(text)
  return answer and answer[1] == nonce and answer
end
"""

# Arguments: job, band, nonce, delay in ms. Returns 1 if added (by this very call), else 0.
ENQUEUE = (
    _COMMON
    + """
local job, band, nonce, delay_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local known = redis.call('HGET', MEMBERS, job)
if known then return known == band .. ':' .. nonce and 1 or 0 end
add(job, band, nonce, delay_ms)
return 1
"""
)

# Arguments: consumer, lease in ms, nonce. Returns {nonce, band, entry, job, deliveries}, or, when
# there is nothing, {'', ms until the next delayed job is due or -1, last id of each stream}.
CLAIM = (
    _COMMON
    + f"""
local consumer, lease_ms, nonce = ARGV[1], ARGV[2], ARGV[3]
local again = remembered(nonce)
if again then return again end

local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', now_ms(), 'LIMIT', 0, {PROMOTED_AT_ONCE})
for _, job in ipairs(due) do
  redis.call('ZREM', DELAYED, job)
  local known = redis.call('HGET', MEMBERS, job)
  if known then append(tonumber(known:match('^%d+')), job) end
end

local function take(band, entry, deliveries)
  return remember({{nonce, band, entry[1], entry[2][2], deliveries}})
end

for band = 1, 3 do
  while true do
    local expired = pending(band, 'IDLE', lease_ms, '-', '+', 1)[1]
    if not expired then break end
    local entry = redis.call('XCLAIM', KEYS[band], GROUP, consumer, 0, expired[1])[1]
    if entry then return take(band, entry, expired[4] + 1) end
    -- The entry itself was deleted by somebody else: nothing is left to work on.
    redis.call('XACK', KEYS[band], GROUP, expired[1])
  end
end

local last_ids = {{}}
for band = 1, 3 do
  last_ids[band] = '0-0'
  if redis.call('EXISTS', KEYS[band]) == 1 then
    local read = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', 1, 'STREAMS', KEYS[band], '>')
    if read then return take(band, read[1][2][1], 1) end
    local about = redis.call('XINFO', 'STREAM', KEYS[band])
    for field = 1, #about, 2 do
      if about[field] == 'last-generated-id' then last_ids[band] = about[field + 1] end
    end
  end
end

local next_due = redis.call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
local wait_ms = next_due[2] and math.max(0, tonumber(next_due[2]) - now_ms()) or -1
return {{'', wait_ms, last_ids[1], last_ids[2], last_ids[3]}}
"""
)

# Arguments: band, entry, consumer, deliveries. Returns 1 if renewed, else 0.
RENEW = (
    _COMMON
    + """
local band, entry, consumer, deliveries = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
if not owned(band, entry, consumer, deliveries) then return 0 end
redis.call('XCLAIM', KEYS[band], GROUP, consumer, 0, entry, 'JUSTID')
return 1
"""
)

# Arguments: band, entry, consumer, deliveries, nonce, job. Returns 1 if released, else 0.
RELEASE = (
    _COMMON
    + """
local band, entry, consumer, deliveries = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local nonce, job = ARGV[5], ARGV[6]
if remembered(nonce) then return 1 end
if not owned(band, entry, consumer, deliveries) then return 0 end
drop(band, entry)
redis.call('HDEL', MEMBERS, job)
remember({nonce})
return 1
"""
)

# Arguments: as for RELEASE, then new band, delay in ms. Returns 1 if given back, else 0.
REQUEUE = (
    _COMMON
    + """
local band, entry, consumer, deliveries = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local nonce, job, new_band, delay_ms = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
if remembered(nonce) then return 1 end
if not owned(band, entry, consumer, deliveries) then return 0 end
drop(band, entry)
add(job, new_band, nonce, delay_ms)
remember({nonce})
return 1
"""
)

# Returns {jobs that wait, jobs that are held}.
COUNT = (
    _COMMON
    + """
local entries, held = 0, 0
for band = 1, 3 do
  if redis.call('EXISTS', KEYS[band]) == 1 then
    entries = entries + redis.call('XLEN', KEYS[band])
    held = held + (pending(band)[1] or 0)
  end
end
return {entries - held + redis.call('ZCARD', DELAYED), held}
"""
)
