"""The scripts that let jobs into the queue, and out again before they are submitted."""

from pipeline.redis.lua import COMMON

# More keys: what the user may submit now; load and members of every lane, this one's too. Arguments:
# job, band, user, cost, pixels, for how many ms it is let in, then the limits, each 0 for none: pixels of
# the user, jobs of all, jobs of the user per minute. Returns {'', …} if it is let in or known, else {what
# is full, how much of it there is, how much of it leaves in a second or, of the rate, ms to wait}.
ADMIT = (
    COMMON
    + """
local RATE, job, user, pixels = KEYS[15], ARGV[1], ARGV[3], ARGV[5]
local most_px, most_jobs, per_minute = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
if member(job) then return {'', '0', '0'} end

local px, jobs = 0, 0
for at = 16, #KEYS, 2 do
  px = px + tonumber(redis.call('HGET', KEYS[at], user) or 0)
  jobs = jobs + redis.call('HLEN', KEYS[at + 1])
end
if most_px > 0 and px + tonumber(pixels) > most_px then
  return {'pixels', exact(px), exact(field('px_per_s'))}
end
if most_jobs > 0 and jobs >= most_jobs then return {'jobs', exact(jobs), exact(field('jobs_per_s'))} end

if per_minute > 0 then
  local now = now_ms()
  local known = redis.call('HMGET', RATE, 'left', 'at')
  local left = per_minute
  if known[1] then
    left = math.min(per_minute, tonumber(known[1]) + (now - tonumber(known[2])) * per_minute / 60000)
  end
  if left < 1 then return {'rate', exact(left), exact((1 - left) * 60000 / per_minute)} end
  redis.call('HSET', RATE, 'left', exact(left - 1), 'at', exact(now))
  redis.call('PEXPIRE', RATE, math.ceil((per_minute - left + 1) * 60000 / per_minute))
end

redis.call('HINCRBY', LOAD, user, pixels)
local m = {band = tonumber(ARGV[2]), tag = 0, cost = tonumber(ARGV[4]), pixels = pixels, user = user}
m.nonce = ADMITTED
put(job, m, tonumber(ARGV[6]))
return {'', '0', '0'}
"""
)

# Arguments: job. Takes out of the queue what was let in and has not been submitted.
WITHDRAW = (
    COMMON
    + """
local m = member(ARGV[1])
if m and m.nonce == ADMITTED and redis.call('ZREM', DELAYED, ARGV[1]) == 1 then forget(ARGV[1], m) end
return 1
"""
)
