-- Deletes all rounds of sessions; returns how many there were. KEYS: 1 the sessions of the user, then the rounds and
-- the states of each session. ARGV: their members in the first.
redis.call('ZCARD', KEYS[1])
local count = 0
for i = 1, #ARGV do
  count = count + redis.call('ZCARD', KEYS[2 * i])
  redis.call('HLEN', KEYS[2 * i + 1])
end
for i, member in ipairs(ARGV) do
  redis.call('UNLINK', KEYS[2 * i], KEYS[2 * i + 1])
  redis.call('ZREM', KEYS[1], member)
end
return count
