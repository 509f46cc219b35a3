"""The three scripts that run in the engine, each one round trip, each without any effect when it is sent twice.

A counter in a window is two hashes: `…:u:…` with what each member has used in all (and under the empty name the sum), `…:h:…` with what
each holds and until when. A member says its whole use each time, so a claim whose answer got lost is counted once. Time is the engine's
own: the clocks of the members do not have to agree.
"""

from __future__ import annotations

CLAIM = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local me, grants = ARGV[1], {}
for i = 1, #KEYS / 2 do
  local uses, holds, at = KEYS[2 * i - 1], KEYS[2 * i], 1 + (i - 1) * 5
  local limit, mine, wish = tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
  local lease, forget = tonumber(ARGV[at + 4]), ARGV[at + 5]
  local said = tonumber(redis.call('HGET', uses, me) or '0')
  local used = tonumber(redis.call('HGET', uses, '') or '0')
  local more = string.match(mine, '^%+(.*)$')
  if more then mine = said + tonumber(more) else mine = tonumber(mine) end
  if mine ~= said then
    used = used + mine - said
    redis.call('HSET', uses, me, string.format('%.17g', mine), '', string.format('%.17g', used))
    redis.call('EXPIREAT', uses, forget)
  end
  local others, all = 0, redis.call('HGETALL', holds)
  for j = 1, #all, 2 do
    if all[j] ~= me then
      local hold, till = string.match(all[j + 1], '(%S+) (%S+)')
      if tonumber(till) > now then others = others + tonumber(hold) else redis.call('HDEL', holds, all[j]) end
    end
  end
  local hold = math.max(math.min(wish, limit - used - others), 0)
  if hold > 0 then
    redis.call('HSET', holds, me, string.format('%.17g %.6f', hold, now + lease))
    redis.call('EXPIREAT', holds, forget)
  else
    redis.call('HDEL', holds, me)
  end
  grants[i] = string.format('%.17g %.17g %.17g %.17g', hold, used, others, mine)
end
return grants
"""
"""KEYS: uses and holds of each counter. ARGV: the member, then for each counter its limit, this member's whole use (with a `+` before it:
what it has used more), what it would hold, the lease in seconds, and when to forget it (Unix seconds)."""

CREDIT = """
for i = 1, #KEYS do
  local at = (i - 1) * 3
  local who, logged = ARGV[at + 1], tonumber(ARGV[at + 2])
  local said = tonumber(redis.call('HGET', KEYS[i], who) or '0')
  if logged > said then
    local used = tonumber(redis.call('HGET', KEYS[i], '') or '0') + logged - said
    redis.call('HSET', KEYS[i], who, ARGV[at + 2], '', string.format('%.17g', used))
    redis.call('EXPIREAT', KEYS[i], ARGV[at + 3])
  end
end
"""
"""KEYS: the uses of each counter. ARGV: for each the member, its whole use as the log has it, and when to forget it."""

EXCHANGE = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local me = ARGV[1]
redis.call('SET', KEYS[1], ARGV[2], 'NX')
local born = redis.call('GET', KEYS[1])
redis.call('HSET', KEYS[2], me, string.format('%.6f ', now + tonumber(ARGV[3])) .. ARGV[4])
local others, all = {}, redis.call('HGETALL', KEYS[2])
for j = 1, #all, 2 do
  if all[j] ~= me then
    local till, said = string.match(all[j + 1], '^(%S+) (.*)$')
    if tonumber(till) > now then
      others[#others + 1] = all[j]
      others[#others + 1] = said
    else
      redis.call('HDEL', KEYS[2], all[j])
    end
  end
end
if ARGV[5] ~= '' then redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'by', me, 'said', ARGV[5]) end
local last, news = ARGV[6], {}
local found = redis.call('XRANGE', KEYS[3], last, '+', 'COUNT', 64)
for i = 1, #found do
  last = '(' .. found[i][1]
  if found[i][2][2] ~= me then news[#news + 1] = found[i][2][4] end
end
return {born, last, others, news}
"""
"""KEYS: when the table was born, the standings, the news. ARGV: the member, a name for a new table, how long a standing holds (seconds),
the standing, the news (empty: none), where to read on, and how many pieces of news to keep."""
