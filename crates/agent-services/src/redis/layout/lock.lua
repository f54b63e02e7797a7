-- Acquires or renews the lock; returns whether that succeeded. KEYS: 1 the lock. ARGV: 1 the holder, 2 the duration in
-- milliseconds.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
