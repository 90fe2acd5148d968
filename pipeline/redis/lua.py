"""What the queue's Lua scripts share: the names of their keys, and how jobs are noted and move."""

ANSWER_TTL_MS = 60_000
"""Longer than a client goes on repeating a call (``connection.PATIENCE_S``)."""

COMMON = f"""
local WAITING, SHARES = {{KEYS[1], KEYS[2], KEYS[3]}}, {{KEYS[4], KEYS[5], KEYS[6]}}
local DELAYED, LEASES, HOLDERS, MEMBERS, LOAD = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local TURN, WAKE, ANSWER = KEYS[12], KEYS[13], KEYS[14]
local ADMITTED = 'admitted'

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua's own conversion keeps 14 digits.
local function exact(number)
  return string.format('%.17g', number)
end

local function field(name)
  return tonumber(redis.call('HGET', TURN, name) or 0)
end

local function member(job)
  local text = redis.call('HGET', MEMBERS, job)
  if not text then return nil end
  local band, tag, cost, pixels, nonce, user = text:match('^(%d):([^:]*):([^:]*):(%d*):([^:]*):(.*)$')
  return {{
    band = tonumber(band), tag = tonumber(tag), cost = tonumber(cost), pixels = pixels,
    nonce = nonce, user = user
  }}
end

local function note(job, m)
  local parts = {{m.band, exact(m.tag), exact(m.cost), m.pixels, m.nonce, m.user}}
  redis.call('HSET', MEMBERS, job, table.concat(parts, ':'))
end

-- The tag of a user's further job in a band.
local function admit(band, user, cost)
  local ends = tonumber(redis.call('ZSCORE', SHARES[band], user) or 0)
  local tag = math.max(field('present' .. band), ends)
  redis.call('ZADD', SHARES[band], exact(tag + cost), user)
  return tag
end

local function wait(job, m)
  redis.call('ZADD', WAITING[m.band], exact(m.tag), job)
  redis.call('XADD', WAKE, 'MAXLEN', 1, '*', 'job', job)
end

local function put(job, m, delay_ms)
  note(job, m)
  if delay_ms > 0 then
    redis.call('ZADD', DELAYED, now_ms() + delay_ms, job)
  else
    wait(job, m)
  end
end

local function forget(job, m)
  redis.call('HDEL', MEMBERS, job)
  if redis.call('HINCRBY', LOAD, m.user, -m.pixels) <= 0 then redis.call('HDEL', LOAD, m.user) end
end

local function owned(job, entry, consumer, deliveries)
  return redis.call('HGET', HOLDERS, job) == entry .. ':' .. deliveries .. ':' .. consumer
end

local function let_go(job)
  redis.call('HDEL', HOLDERS, job)
  redis.call('ZREM', LEASES, job)
end

local function remember(answer)
  redis.call('SET', ANSWER, cjson.encode(answer), 'PX', {ANSWER_TTL_MS})
  return answer
end

local function remembered(nonce)
  local text = redis.call('GET', ANSWER)
  local answer = text and cjson.decode(text)
  return answer and answer[1] == nonce and answer
end
"""
