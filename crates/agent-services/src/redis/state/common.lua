-- KEYS of every script that changes the states of one session: 1 the rounds, 2 the states, 3 the sessions of the user.
-- ARGV: 1 the session's member of the last, 2 the time to live in milliseconds, 0 for no limit.

-- Fails, before anything is written, if a key holds something else.
local function check_keys()
  redis.call('ZCARD', KEYS[1])
  redis.call('HLEN', KEYS[2])
  redis.call('ZCARD', KEYS[3])
end

-- Extends the life of the session, and that of the list of sessions to that of the longest-living one. A session's
-- score is its time of expiry. Removes expired sessions from the list.
local function live_on()
  local ttl = tonumber(ARGV[2])
  if ttl > 0 then
    local now = now_ms()
    redis.call('PEXPIREAT', KEYS[1], text(now + ttl))
    redis.call('PEXPIREAT', KEYS[2], text(now + ttl))
    redis.call('ZADD', KEYS[3], text(now + ttl), ARGV[1])
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. text(now))
  else
    redis.call('PERSIST', KEYS[1])
    redis.call('PERSIST', KEYS[2])
    redis.call('ZADD', KEYS[3], '+inf', ARGV[1])
  end
  local last = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
  if last == 'inf' then
    redis.call('PERSIST', KEYS[3])
  else
    redis.call('PEXPIREAT', KEYS[3], text(tonumber(last)))
  end
end
