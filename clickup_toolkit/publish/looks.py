"""What is looked up inside Redis in one step, so that an answer is of one moment. Nothing is changed."""

from __future__ import annotations

__all__ = ["FIND", "FORMS", "LENGTHS", "LIST", "LOAD", "SIZES"]

_ABOUT = """
local function about(version, prefix, pinned)
  local key = prefix .. version
  local fields = redis.call('HMGET', key, 'manifest', 'etag')
  return {version, fields[1], fields[2], redis.call('TTL', key), redis.call('SISMEMBER', pinned, version)}
end
"""

FIND = (
    _ABOUT
    + """
-- KEYS[1] the latest version's id, KEYS[2] the index, KEYS[3] the index of leaving versions, KEYS[4] the
-- pinned ones; ARGV[1] a version, a day as 20261123, or 'latest', ARGV[2] what the keys of manifests begin
-- with. Returns {version, its manifest or nil, the manifest's hash or nil, the seconds it lives or -1 or,
-- without a manifest, -2, 1 if it is pinned}, or nil when there is no such version.
local wanted, version = ARGV[1], nil
if wanted == 'latest' then
  version = redis.call('GET', KEYS[1]) or redis.call('ZREVRANGE', KEYS[2], 0, 0)[1]
else
  for k = 2, 3 do
    for _, one in ipairs(redis.call('ZREVRANGE', KEYS[k], 0, -1)) do
      local fits = one == wanted or (#wanted == 8 and string.sub(one, 1, 9) == wanted .. 'T')
      local there = k == 2 or redis.call('EXISTS', ARGV[2] .. one) == 1
      if fits and there and (not version or one > version) then version = one end
    end
  end
end
if not version then return false end
return about(version, ARGV[2], KEYS[4])
"""
)

LIST = (
    _ABOUT
    + """
-- KEYS[1] the index, KEYS[2] the index of leaving versions, KEYS[3] the pinned ones; ARGV[1] what the keys of
-- manifests begin with. Returns, for every version, the newest first, what FIND returns.
local found = {}
for _, version in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  found[#found + 1] = about(version, ARGV[1], KEYS[3])
end
for _, version in ipairs(redis.call('ZREVRANGE', KEYS[2], 0, -1)) do
  local one = about(version, ARGV[1], KEYS[3])
  if one[2] then found[#found + 1] = one end
end
table.sort(found, function (one, other) return one[1] > other[1] end)
return found
"""
)

LENGTHS = """
-- KEYS chunks; ARGV[1] what the keys of deltas begin with. Returns the length of each chunk, -1 where there
-- is a delta in its place, 0 where there is neither. Only reads, so replicas run it.
local lengths = {}
for i = 1, #KEYS do
  lengths[i] = redis.call('STRLEN', KEYS[i])
  if lengths[i] == 0 then
    lengths[i] = -redis.call('EXISTS', ARGV[1] .. string.match(KEYS[i], '[^:]+$'))
  end
end
return lengths
"""

LOAD = """
-- KEYS chunks; ARGV[1] what the keys of deltas begin with. Returns each chunk as {bytes}, or as {bases, hash
-- of the text, delta}, whichever there is, or as {}. Both forms are looked for in one step, so that a chunk
-- is found that is packed, or comes back whole, at this very moment.
local found = {}
for i = 1, #KEYS do
  local whole = redis.call('GET', KEYS[i])
  if whole then
    found[i] = {whole}
  else
    local fields = redis.call('HMGET', ARGV[1] .. string.match(KEYS[i], '[^:]+$'), 'bases', 'sha', 'data')
    found[i] = (fields[1] and fields[2] and fields[3]) and fields or {}
  end
end
return found
"""

FORMS = """
-- ARGV[1] and ARGV[2] what the keys of chunks and of deltas begin with, ARGV[3..] digests.
-- Returns for each chunk the bases of its delta, '' where it has none but stands whole, nil without either.
local forms = {}
for i = 3, #ARGV do
  forms[i - 2] = redis.call('HGET', ARGV[2] .. ARGV[i], 'bases')
    or (redis.call('EXISTS', ARGV[1] .. ARGV[i]) == 1 and '' or false)
end
return forms
"""

SIZES = """
-- ARGV[1] and ARGV[2] what the keys of chunks and of deltas begin with, ARGV[3..] digests.
-- Returns for each chunk the bytes that it takes as it is stored.
local sizes = {}
for i = 3, #ARGV do
  sizes[i - 2] = redis.call('STRLEN', ARGV[1] .. ARGV[i]) + redis.call('HSTRLEN', ARGV[2] .. ARGV[i], 'data')
end
return sizes
"""
