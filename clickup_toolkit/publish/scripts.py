"""The steps that happen inside Redis, each whole or not at all.

All of them may be sent twice without harm, as a client does that lost its connection before the answer.
"""

from __future__ import annotations

__all__ = ["CLAIM", "DROP", "FIND", "FLIP", "LENGTHS", "LIST", "LOOSEN"]

CLAIM = """
-- Ask which chunks stand in Redis, and keep those for a while that would expire.
-- KEYS[1] the lock, KEYS[2..] chunks; ARGV[1] the lock's value, ARGV[2] seconds.
-- Returns the length of each chunk, 0 where there is none; nil when the lock is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local lengths = {}
for i = 2, #KEYS do
  lengths[i - 1] = redis.call('STRLEN', KEYS[i])
  if redis.call('TTL', KEYS[i]) >= 0 then redis.call('EXPIRE', KEYS[i], ARGV[2]) end
end
return lengths
"""

FLIP = """
-- Make a version the latest, and its chunks stay.
-- KEYS[1] the lock, KEYS[2] the latest version's id, KEYS[3] the index, KEYS[4] the manifest,
-- KEYS[5..] the chunks.
-- ARGV[1] the lock's value, ARGV[2] the version, ARGV[3] its time in seconds, ARGV[4] the manifest's text,
-- ARGV[5] its hash, ARGV[6..] the length of each chunk.
-- Returns {'done'}, {'lost'}: the lock is another's, {'older', version}: a newer one is there,
-- {'missing', count}: chunks are not there or not whole.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'lost'} end
local newest = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if newest[1] and tonumber(newest[2]) > tonumber(ARGV[3]) then return {'older', newest[1]} end
local missing = 0
for i = 5, #KEYS do
  if redis.call('STRLEN', KEYS[i]) ~= tonumber(ARGV[i + 1]) then missing = missing + 1 end
end
if missing > 0 then return {'missing', missing} end
redis.call('HSET', KEYS[4], 'manifest', ARGV[4], 'etag', ARGV[5])
for i = 5, #KEYS do redis.call('PERSIST', KEYS[i]) end
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
redis.call('SET', KEYS[2], ARGV[2])
return {'done'}
"""

DROP = """
-- Take all versions but the last few out of the index, and never the latest.
-- KEYS[1] the index, KEYS[2] the latest version's id; ARGV[1] how many to keep,
-- ARGV[2] what the keys of manifests begin with. Returns the versions that were dropped.
local latest = redis.call('GET', KEYS[2])
local dropped = {}
for _, version in ipairs(redis.call('ZREVRANGE', KEYS[1], ARGV[1], -1)) do
  if version ~= latest then
    redis.call('ZREM', KEYS[1], version)
    redis.call('DEL', ARGV[2] .. version)
    dropped[#dropped + 1] = version
  end
end
return dropped
"""

LOOSEN = """
-- Let chunks expire that would stay.
-- KEYS[1] the lock, KEYS[2..] chunks; ARGV[1] the lock's value, ARGV[2] seconds.
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

FIND = """
-- KEYS[1] the latest version's id, KEYS[2] the index; ARGV[1] a version, or 'latest',
-- ARGV[2] what the keys of manifests begin with.
-- Returns {version, its manifest or nil, the manifest's hash or nil}, or nil when there is no such version.
local version = ARGV[1]
if version == 'latest' then
  version = redis.call('GET', KEYS[1]) or redis.call('ZREVRANGE', KEYS[2], 0, 0)[1]
elseif not redis.call('ZSCORE', KEYS[2], version) then
  version = nil
end
if not version then return false end
local fields = redis.call('HMGET', ARGV[2] .. version, 'manifest', 'etag')
return {version, fields[1], fields[2]}
"""

LIST = """
-- KEYS[1] the index; ARGV[1] what the keys of manifests begin with.
-- Returns, for every version, the newest first, what FIND returns.
local found = {}
for i, version in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  local fields = redis.call('HMGET', ARGV[1] .. version, 'manifest', 'etag')
  found[i] = {version, fields[1], fields[2]}
end
return found
"""

LENGTHS = """
-- KEYS chunks. Returns the length of each, 0 where there is none. Only reads, so replicas run it.
local lengths = {}
for i = 1, #KEYS do lengths[i] = redis.call('STRLEN', KEYS[i]) end
return lengths
"""
