-- Deletes a round; returns whether it existed. ARGV: 3 the round.
check_keys()
local count = redis.call('ZREM', KEYS[1], ARGV[3])
redis.call('HDEL', KEYS[2], ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[3], ARGV[1])
elseif count == 1 then
  live_on()
end
return count
