-- Renews a lease. KEYS: 1 the owners. ARGV: 1 the owner, 2 for how many milliseconds.
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), ARGV[1])
return 0
