"""The steps that change something inside Redis, each whole or not at all. What only looks: :mod:`.looks`.

All of them may be sent twice without harm, as a client does that lost its connection before the answer.
"""

from __future__ import annotations

__all__ = [
    "CLAIM",
    "CLOSURE",
    "DELETE",
    "DROP",
    "FLIP",
    "LOOSEN",
    "PACK",
    "PIN",
    "PUT",
    "REVIVE",
    "SETTLE",
    "TOUCH",
]

CLAIM = """
-- Ask which chunks stand in Redis as they should, and keep those for a while that would expire.
-- KEYS[1] the lock, KEYS[2..] chunks; ARGV[1] the lock's value, ARGV[2] seconds, ARGV[3..] the SHA-1 of each.
-- Returns 1 for each chunk that holds just these bytes, else 0; nil when the lock is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local whole = {}
for i = 2, #KEYS do
  local stored = redis.call('GET', KEYS[i])
  whole[i - 1] = (stored and redis.sha1hex(stored) == ARGV[i + 1]) and 1 or 0
  if stored and redis.call('TTL', KEYS[i]) >= 0 then redis.call('EXPIRE', KEYS[i], ARGV[2]) end
end
return whole
"""

FLIP = """
-- Make a version the latest, and its chunks stay, as they are.
-- KEYS[1] the lock, KEYS[2] the latest version's id, KEYS[3] the index, KEYS[4] the index of leaving
-- versions, KEYS[5] the manifest, KEYS[6..] the chunks.
-- ARGV[1] the lock's value, ARGV[2] the version, ARGV[3] its time in seconds, ARGV[4] the manifest's text,
-- ARGV[5] its hash, ARGV[6] what the keys of deltas begin with, ARGV[7..] the length of each chunk.
-- Returns {'done'}, {'lost'}: the lock is another's, {'older', version}: a newer one is there,
-- {'missing', count}: chunks are not there or not whole.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'lost'} end
local newest = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if newest[1] and tonumber(newest[2]) > tonumber(ARGV[3]) then return {'older', newest[1]} end
local missing = 0
for i = 6, #KEYS do
  if redis.call('STRLEN', KEYS[i]) ~= tonumber(ARGV[i + 1]) then missing = missing + 1 end
end
if missing > 0 then return {'missing', missing} end
redis.call('HSET', KEYS[5], 'manifest', ARGV[4], 'etag', ARGV[5])
redis.call('PERSIST', KEYS[5])
for i = 6, #KEYS do
  redis.call('PERSIST', KEYS[i])
  redis.call('DEL', ARGV[6] .. string.match(KEYS[i], '[^:]+$'))
end
redis.call('ZREM', KEYS[4], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
redis.call('SET', KEYS[2], ARGV[2])
return {'done'}
"""

PACK = """
-- Keep one chunk as a delta from now on.
-- KEYS[1] the lock, KEYS[2] the latest version's id, KEYS[3] the chunk, KEYS[4] its delta.
-- ARGV[1] the lock's value, ARGV[2] what is the latest version, ARGV[3] the digests of the bases, apart by
-- blanks, ARGV[4] the hash of the text, ARGV[5] the delta, ARGV[6] and ARGV[7] what the keys of chunks and
-- of deltas begin with.
-- Returns 1, or 0 when a base is gone; nil when the lock is another's or another version is the latest.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return false end
for base in string.gmatch(ARGV[3], '%S+') do
  if redis.call('EXISTS', ARGV[6] .. base, ARGV[7] .. base) == 0 then return 0 end
end
redis.call('HSET', KEYS[4], 'bases', ARGV[3], 'sha', ARGV[4], 'data', ARGV[5])
redis.call('PERSIST', KEYS[4])
redis.call('UNLINK', KEYS[3])
return 1
"""

DROP = """
-- Let versions go, but never the latest nor a pinned one, and forget those that have gone.
-- KEYS[1] the index, KEYS[2] the latest version's id, KEYS[3] the pinned ones, KEYS[4] the index of leaving
-- versions; ARGV[1] the seconds that they live on, ARGV[2] what the keys of manifests begin with,
-- ARGV[3..] versions. Returns the versions that were dropped.
local latest = redis.call('GET', KEYS[2])
local dropped = {}
for i = 3, #ARGV do
  local time = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if time and ARGV[i] ~= latest and redis.call('SISMEMBER', KEYS[3], ARGV[i]) == 0 then
    redis.call('ZREM', KEYS[1], ARGV[i])
    redis.call('ZADD', KEYS[4], time, ARGV[i])
    redis.call('EXPIRE', ARGV[2] .. ARGV[i], ARGV[1])
    dropped[#dropped + 1] = ARGV[i]
  end
end
for _, version in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  if redis.call('EXISTS', ARGV[2] .. version) == 0 then redis.call('ZREM', KEYS[4], version) end
end
return dropped
"""

DELETE = """
-- Remove a version, but never a pinned one, nor the latest; one that lies in the future, written by a clock
-- that was wrong, would stand in the way of all that follow, so then the newest that stays is the latest.
-- KEYS[1] the index, KEYS[2] the latest version's id, KEYS[3] the pinned ones, KEYS[4] the index of leaving
-- versions, KEYS[5] the manifest; ARGV[1] the version.
-- Returns 'done', or why not: 'latest', 'pinned', 'none'.
local is_latest = redis.call('GET', KEYS[2]) == ARGV[1]
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
if is_latest and score <= tonumber(redis.call('TIME')[1]) + 300 then return 'latest' end
if redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then return 'pinned' end
if redis.call('ZREM', KEYS[1], ARGV[1]) + redis.call('ZREM', KEYS[4], ARGV[1]) == 0 then return 'none' end
redis.call('DEL', KEYS[5])
if is_latest then
  local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0)[1]
  if newest then redis.call('SET', KEYS[2], newest) else redis.call('DEL', KEYS[2]) end
end
return 'done'
"""

LOOSEN = """
-- Let chunks or deltas expire that would stay.
-- KEYS[1] the lock, KEYS[2..] chunks or deltas; ARGV[1] the lock's value, ARGV[2] seconds.
-- Returns how many will expire now; nil when the lock is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local loosened = 0
for i = 2, #KEYS do
  if redis.call('TTL', KEYS[i]) == -1 then
    loosened = loosened + redis.call('EXPIRE', KEYS[i], ARGV[2])
  end
end
return loosened
"""

_REACHED = """
local function reached(deltas, first)
  local seen, order = {}, {}
  for i = first, #ARGV do
    if not seen[ARGV[i]] then seen[ARGV[i]] = true; order[#order + 1] = ARGV[i] end
  end
  local at = 1
  while at <= #order do
    for base in string.gmatch(redis.call('HGET', deltas .. order[at], 'bases') or '', '%S+') do
      if not seen[base] then seen[base] = true; order[#order + 1] = base end
    end
    at = at + 1
  end
  return order
end
"""

CLOSURE = (
    _REACHED
    + """
-- ARGV[1] what the keys of deltas begin with, ARGV[2..] digests.
-- Returns these digests and those of all chunks that are needed to rebuild them.
return reached(ARGV[1], 2)
"""
)

TOUCH = (
    _REACHED
    + """
-- Give what would expire sooner some seconds more, for a reader that still needs it.
-- KEYS[1] the manifest; ARGV[1] and ARGV[2] what the keys of chunks and of deltas begin with, ARGV[3]
-- seconds, ARGV[4..] digests. Returns how many keys got more time.
local extended = 0
local function extend(key)
  local left = redis.call('TTL', key)
  if left >= 0 and left < tonumber(ARGV[3]) then extended = extended + redis.call('EXPIRE', key, ARGV[3]) end
end
extend(KEYS[1])
for _, digest in ipairs(reached(ARGV[2], 4)) do
  extend(ARGV[1] .. digest)
  extend(ARGV[2] .. digest)
end
return extended
"""
)

PIN = """
-- Pin a version that is kept. KEYS[1] the index, KEYS[2] the pinned ones; ARGV[1] the version.
-- Returns 1, or 0 when it is not among the kept ones.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('SADD', KEYS[2], ARGV[1])
return 1
"""

REVIVE = (
    _REACHED
    + """
-- Keep and pin a version that was leaving.
-- KEYS[1] the lock, KEYS[2] the index, KEYS[3] the index of leaving versions, KEYS[4] the pinned ones,
-- KEYS[5] the manifest; ARGV[1] and ARGV[2] what the keys of chunks and of deltas begin with, ARGV[3] the
-- lock's value, ARGV[4] the version, ARGV[5..] the digests of its chunks.
-- Returns 1, or 0 when a part of it has gone; nil when the lock is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[3] then return false end
local time = redis.call('ZSCORE', KEYS[3], ARGV[4])
if not time or redis.call('EXISTS', KEYS[5]) == 0 then return 0 end
local needed = reached(ARGV[2], 5)
for _, digest in ipairs(needed) do
  if redis.call('EXISTS', ARGV[1] .. digest, ARGV[2] .. digest) == 0 then return 0 end
end
for _, digest in ipairs(needed) do
  redis.call('PERSIST', ARGV[1] .. digest)
  redis.call('PERSIST', ARGV[2] .. digest)
end
redis.call('PERSIST', KEYS[5])
redis.call('ZREM', KEYS[3], ARGV[4])
redis.call('ZADD', KEYS[2], time, ARGV[4])
redis.call('SADD', KEYS[4], ARGV[4])
return 1
"""
)

PUT = """
-- Put back one chunk, whole or as a delta; what would stay goes on staying.
-- KEYS[1] the lock, KEYS[2] the chunk, KEYS[3] its delta; ARGV[1] the lock's value, ARGV[2] seconds to live,
-- ARGV[3] the bytes, ARGV[4] the digests of the bases, apart by blanks, '' for a whole one, ARGV[5] the hash
-- of the text. Returns 1; nil when the lock is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local stays = redis.call('TTL', KEYS[2]) == -1 or redis.call('TTL', KEYS[3]) == -1
redis.call('DEL', KEYS[2], KEYS[3])
local key = KEYS[3]
if ARGV[4] == '' then
  key = KEYS[2]
  redis.call('SET', key, ARGV[3])
else
  redis.call('HSET', key, 'bases', ARGV[4], 'sha', ARGV[5], 'data', ARGV[3])
end
if not stays then redis.call('EXPIRE', key, ARGV[2]) end
return 1
"""

SETTLE = (
    _REACHED
    + """
-- Enter a version that was put back.
-- KEYS[1] the lock, KEYS[2] the latest version's id, KEYS[3] the index, KEYS[4] the index of leaving
-- versions, KEYS[5] the pinned ones, KEYS[6] the manifest; ARGV[1] the lock's value, ARGV[2] and ARGV[3] what
-- the keys of chunks and of deltas begin with, ARGV[4] the version, ARGV[5] its time in seconds, ARGV[6] the
-- manifest's text, ARGV[7] its hash, ARGV[8] seconds to live, '' for one that stays, ARGV[9] 1 if it is
-- pinned, ARGV[10..] the digests of its chunks. One that is kept here stays, whatever ARGV[8] says.
-- Returns how many chunks are missing: nothing was done then, else 0; nil when the lock is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local needed, missing = reached(ARGV[3], 10), 0
for _, digest in ipairs(needed) do
  if redis.call('EXISTS', ARGV[2] .. digest, ARGV[3] .. digest) == 0 then missing = missing + 1 end
end
if missing > 0 then return missing end
local stays = ARGV[8] == '' or redis.call('ZSCORE', KEYS[3], ARGV[4])
local function keep(key)
  if stays then
    redis.call('PERSIST', key)
  else
    local left = redis.call('TTL', key)
    if left >= 0 and left < tonumber(ARGV[8]) then redis.call('EXPIRE', key, ARGV[8]) end
  end
end
redis.call('HSET', KEYS[6], 'manifest', ARGV[6], 'etag', ARGV[7])
if stays then redis.call('PERSIST', KEYS[6]) else redis.call('EXPIRE', KEYS[6], ARGV[8]) end
for _, digest in ipairs(needed) do
  keep(ARGV[2] .. digest)
  keep(ARGV[3] .. digest)
end
redis.call('ZREM', KEYS[4], ARGV[4])
redis.call('ZADD', stays and KEYS[3] or KEYS[4], ARGV[5], ARGV[4])
if ARGV[9] == '1' then redis.call('SADD', KEYS[5], ARGV[4]) end
local latest = redis.call('GET', KEYS[2])
if stays and (not latest or latest < ARGV[4]) then redis.call('SET', KEYS[2], ARGV[4]) end
return 0
"""
)
