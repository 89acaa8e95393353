#include "core/target/redis/scripts.h"
#include <openssl/sha.h>

namespace millrace::redis {

namespace {

Script made(std::string text)
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    Script out{std::move(text), {}};
    for (const unsigned char byte : digest) {
        out.sha1 += "0123456789abcdef"[byte >> 4];
        out.sha1 += "0123456789abcdef"[byte & 15];
    }
    return out;
}

// Versions have 63 bits and Lua's numbers 53: they are compared as decimal texts, shorter ones first.
const std::string common = R"(
local owner, epoch = ARGV[1], ARGV[2]
if owner ~= '' then
  local l = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'held')
  if l[1] ~= owner or l[2] ~= epoch or l[3] ~= '1' then return redis.error_reply('FENCED the lease is held by another instance now') end
end
local function above(a, b) return #a > #b or (#a == #b and a > b) end
local function now() local t = redis.call('TIME') return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) end
)";

// Which rows are new, old or somebody else's: one call for all versions, one more for the keys that have none.
const std::string sorting = R"(
local n = (#KEYS - 2) / 2
local companions, fresh, foreign, out, set, add, gone, forget = {}, {}, {}, {}, {}, {}, {}, {}
for i = 1, n do companions[i] = KEYS[2 + 2 * i] end
local known = redis.call('MGET', unpack(companions))
if ARGV[4] ~= '1' then
  for i = 1, n do if not known[i] then fresh[#fresh + 1] = KEYS[1 + 2 * i] end end
  if #fresh > 0 and redis.call('EXISTS', unpack(fresh)) > 0 then
    for i = 1, #fresh do if redis.call('EXISTS', fresh[i]) == 1 then foreign[fresh[i]] = true end end
  end
end
local function place(i, v)
  local key, k = KEYS[1 + 2 * i], known[i]
  local remove = string.byte(v) == 45
  if remove then v = string.sub(v, 2) end
  if k and above(k, v) then out[#out + 1] = i; out[#out + 1] = 's'; return nil end
  if remove then
    if k then gone[#gone + 1] = key; gone[#gone + 1] = companions[i]; forget[#forget + 1] = key end
    return nil
  end
  if foreign[key] then out[#out + 1] = i; out[#out + 1] = 'f'; return nil end
  add[#add + 1] = key
  return key
end
local function finish()
  if #add > 0 then redis.call('SADD', KEYS[2], unpack(add)) end
  if #gone > 0 then redis.call('DEL', unpack(gone)); redis.call('SREM', KEYS[2], unpack(forget)) end
  return out
end
local ttl = ARGV[3]
)";

} // namespace

const Script& acquireScript()
{
    static const Script script = made(R"(
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local l = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'beat', 'held')
local known = tonumber(l[2] or '0')
if l[4] == '1' and l[1] ~= ARGV[1] then
  local age = now - tonumber(l[3])
  if age < tonumber(ARGV[3]) then return {0, l[1]} end
  if age < tonumber(ARGV[4]) then return {1, tonumber(ARGV[4]) - age} end
end
local epoch = math.max(known, tonumber(ARGV[2])) + 1
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'epoch', string.format('%.0f', epoch), 'beat', string.format('%.0f', now), 'held', '1')
return {2, epoch}
)");
    return script;
}

const Script& beatScript()
{
    static const Script script = made(common + R"(
redis.call('HSET', KEYS[1], 'beat', string.format('%.0f', now()), 'held', ARGV[3])
return 1
)");
    return script;
}

const Script& guardedScript()
{
    static const Script script = made(common + R"(
local i = 3
while i <= #ARGV do
  local n = tonumber(ARGV[i])
  redis.call(unpack(ARGV, i + 1, i + n))
  i = i + n + 1
end
return 1
)");
    return script;
}

const Script& writeScript()
{
    static const Script script = made(common + sorting + R"(
for i = 1, n do
  local v = ARGV[3 + 2 * i]
  local key = place(i, v)
  if key then
    local at = #set
    set[at + 1] = key; set[at + 2] = ARGV[4 + 2 * i]; set[at + 3] = companions[i]; set[at + 4] = v
  end
end
if ttl == '0' then
  if #set > 0 then redis.call('MSET', unpack(set)) end
else
  for i = 1, #set, 2 do redis.call('SET', set[i], set[i + 1], 'PX', ttl) end
end
return finish()
)");
    return script;
}

const Script& writeHashScript()
{
    static const Script script = made(common + sorting + R"(
local at = 5
for i = 1, n do
  local v, words = ARGV[at], tonumber(ARGV[at + 1])
  local key = place(i, v)
  if key then
    redis.call('DEL', key)
    for from = at + 2, at + 1 + words, 2000 do redis.call('HSET', key, unpack(ARGV, from, math.min(from + 1999, at + 1 + words))) end
    if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
    set[#set + 1] = companions[i]; set[#set + 1] = v
  end
  at = at + 2 + words
end
if ttl == '0' then
  if #set > 0 then redis.call('MSET', unpack(set)) end
else
  for i = 1, #set, 2 do redis.call('SET', set[i], set[i + 1], 'PX', ttl) end
end
return finish()
)");
    return script;
}

const Script& sweepScript()
{
    static const Script script = made(common + R"(
local low, high, gone, forget, deleted = ARGV[3], ARGV[4], {}, {}, 0
local companions = {}
for i = 3, #KEYS, 2 do companions[#companions + 1] = KEYS[i + 1] end
local known = redis.call('MGET', unpack(companions))
for i = 1, #companions do
  local key, k = KEYS[1 + 2 * i], known[i]
  if not k then
    forget[#forget + 1] = key
  elseif not above(low, k) and above(high, k) then
    forget[#forget + 1] = key
    gone[#gone + 1] = key
    gone[#gone + 1] = companions[i]
    deleted = deleted + 1
  end
end
if #gone > 0 then redis.call('DEL', unpack(gone)) end
if #forget > 0 then redis.call('SREM', KEYS[2], unpack(forget)) end
return deleted
)");
    return script;
}

const Script& promoteScript()
{
    static const Script script = made(common + R"(
for i = 5, #KEYS, 4 do
  local key = KEYS[i]
  if redis.call('EXISTS', KEYS[i + 2]) == 1 then
    redis.call('RENAME', KEYS[i + 2], key)
    if redis.call('EXISTS', KEYS[i + 3]) == 1 then redis.call('RENAME', KEYS[i + 3], KEYS[i + 1]) end
    redis.call('SADD', KEYS[2], key)
    redis.call('SREM', KEYS[4], key)
  end
  redis.call('SREM', KEYS[3], KEYS[i + 2])
end
return 1
)");
    return script;
}

} // namespace millrace::redis
