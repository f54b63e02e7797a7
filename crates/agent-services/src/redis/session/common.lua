-- KEYS of every script that writes one session: 1 the session, 2 the index by number, 3 the index by the time of expiry,
-- 4 the last number. ARGV: 1 the member of the indexes, 2 the milliseconds to live, 0 for no limit.

local FIELDS = { 'number', 'id', 'created', 'updated', 'count', 'bytes', 'title', 'metadata' }

-- The fields of a session, or false; the second value is a fault.
local function read_info(key)
  local info = redis.call('HMGET', key, unpack(FIELDS))
  if info[1] then
    return info
  end
  if redis.call('EXISTS', key) == 1 then
    return false, foreign(key)
  end
  return false
end

-- Fails, before anything is written, if an index holds something else.
local function check_indexes()
  redis.call('ZCARD', KEYS[2])
  redis.call('ZCARD', KEYS[3])
  redis.call('GET', KEYS[4])
end

-- For how many milliseconds the session lives because it is anonymous; 0 if it is not.
local function anonymous_ttl()
  return tonumber(redis.call('HGET', KEYS[1], 'anonymous') or '0')
end

-- Makes the session permanent.
local function name()
  -- A full server rejects HSET. After HDEL, which it accepts, it would let the script write everything else.
  if redis.call('HEXISTS', KEYS[1], 'anonymous') == 1 then
    redis.call('HSET', KEYS[1], 'anonymous', '0')
  end
end

-- Extends the life of the session, and of the indexes to that of any session that they list. Removes some expired sessions
-- from the indexes.
local function live_on()
  local member, ttl = ARGV[1], tonumber(ARGV[2])
  local anonymous = anonymous_ttl()
  if anonymous > 0 and (ttl == 0 or anonymous < ttl) then
    ttl = anonymous
  end
  redis.call('ZADD', KEYS[2], redis.call('HGET', KEYS[1], 'number'), member)
  if ttl > 0 then
    local now = now_ms()
    redis.call('PEXPIREAT', KEYS[1], text(now + ttl))
    redis.call('ZADD', KEYS[3], text(now + ttl), member)
    local expired = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. text(now), 'LIMIT', 0, 100)
    if #expired > 0 then
      redis.call('ZREM', KEYS[2], unpack(expired))
      redis.call('ZREM', KEYS[3], unpack(expired))
    end
  else
    redis.call('PERSIST', KEYS[1])
    redis.call('ZREM', KEYS[3], member)
  end
  if redis.call('ZCARD', KEYS[2]) > redis.call('ZCARD', KEYS[3]) then
    redis.call('PERSIST', KEYS[2])
    redis.call('PERSIST', KEYS[3])
    redis.call('PERSIST', KEYS[4])
  else
    local last = tonumber(redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2])
    redis.call('PEXPIREAT', KEYS[2], text(last))
    redis.call('PEXPIREAT', KEYS[3], text(last))
    redis.call('PEXPIREAT', KEYS[4], text(last + DAY))
  end
end

-- Creates the session; `live_on` lists it.
local function make(id, now)
  local number = next_numbers(KEYS[4], 1)
  redis.call('HSET', KEYS[1], 'number', text(number), 'id', id, 'created', now, 'updated', now, 'count', '0', 'bytes', '0')
end
