"""What runs inside Redis: the one step in which a process tells what it learnt and takes places."""

from __future__ import annotations

__all__ = ["EXCHANGE"]

EXCHANGE = """
-- KEYS[1]  the budget, a hash:
--   limit    requests a window
--   window   the newest window that an answer named, by its reset (ms, ClickUp's clock)
--   past     the newest one that is over
--   ends     when the window is over (ms, our clock); 0: none is open
--   sure     1 when an answer told that, 2 when a 429 did; 0: it was opened here, and ends so at the earliest
--   told     requests that ClickUp has counted in it
--   counted  requests of these processes that were answered in it, or lost
--   open:*   a process: the places it has open, and when it said so (ms, our clock)
-- ARGV  1 the process   2 places wanted   3 places it has open   4 the limit to assume   5 the limit, if told
--       6 ms of a window   7 the window it tells of, or 0   8 ms until that ends, 0 when it is over
--       9 its requests answered in it   10 requests that ClickUp has counted in it
--       11 its requests that no window is known of   12 ms for which a 429 holds everybody back
--       13 ms after which to ask again where places are open
-- Returns {places given, ms after which to ask again}.
local function number(text, otherwise) return tonumber(text or '') or otherwise end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local flat, budget = redis.call('HGETALL', KEYS[1]), {}
for at = 1, #flat, 2 do budget[flat[at]] = flat[at + 1] end
local wanted, window_ms = tonumber(ARGV[2]), tonumber(ARGV[6])
local limit = number(budget.limit, tonumber(ARGV[4]))
if tonumber(ARGV[5]) > 0 then limit = tonumber(ARGV[5]) end
local window, past = number(budget.window, 0), number(budget.past, 0)
local ends, sure = number(budget.ends, 0), number(budget.sure, 0)
local told, counted = number(budget.told, 0), number(budget.counted, 0)

local function roll()
  past, ends, sure, told, counted = window, 0, 0, 0, 0
end
if ends > 0 and now >= ends then roll() end

local name, ends_in = tonumber(ARGV[7]), tonumber(ARGV[8])
local later = 1000  -- resets that differ by no more are one window, told with rounding
if name > window + later then
  if past < window then counted = 0 end  -- ClickUp's window was over before ours
  if sure < 2 then told, sure = 0, 0 end
  window = name
end
local unnamed = tonumber(ARGV[11])
counted = counted + unnamed
if unnamed > 0 and ends > 0 and sure == 0 then ends, sure = now + window_ms, 1 end
if name > past + later and name >= window - later and ends_in > 0 then
  counted, told = counted + tonumber(ARGV[9]), math.max(told, tonumber(ARGV[10]))
  if sure == 0 then ends, sure = now + ends_in, 1
  elseif sure == 1 then ends = math.min(ends, now + ends_in) end
end
if tonumber(ARGV[12]) > 0 then
  told, sure, ends = math.max(told, limit), 2, math.max(sure == 2 and ends or 0, now + tonumber(ARGV[12]))
end

local open = tonumber(ARGV[3])
for name, value in pairs(budget) do
  if name:sub(1, 5) == 'open:' and name ~= 'open:' .. ARGV[1] then
    local places, said = value:match('(%d+) (%d+)')
    if now - said > 2 * window_ms then redis.call('HDEL', KEYS[1], name) else open = open + places end
  end
end
local used = math.max(told, counted)
local given = math.max(0, math.min(wanted, limit - used - open))
if given > 0 and ends == 0 then ends = now + window_ms end

local mine = tonumber(ARGV[3]) + given
redis.call('HSET', KEYS[1], 'limit', limit, 'window', window, 'past', past, 'ends', ends, 'sure', sure,
           'told', told, 'counted', counted)
if mine > 0 then redis.call('HSET', KEYS[1], 'open:' .. ARGV[1], mine .. ' ' .. now)
else redis.call('HDEL', KEYS[1], 'open:' .. ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], math.max(0, ends - now) + 3600000)
local wait = tonumber(ARGV[13])
if used >= limit and ends > 0 then wait = ends - now end
return {given, math.max(1, wait)}
"""
