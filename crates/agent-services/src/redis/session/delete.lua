-- Deletes sessions; returns how many there were. KEYS: 1 the index by number, 2 the index by time of expiry, then the
-- sessions. ARGV: their members in the indexes.
redis.call('ZCARD', KEYS[1])
redis.call('ZCARD', KEYS[2])
for i = 3, #KEYS do
  local _, fault = read_info(KEYS[i])
  if fault then
    return fault
  end
end
local count = 0
for i, member in ipairs(ARGV) do
  redis.call('ZREM', KEYS[1], member)
  redis.call('ZREM', KEYS[2], member)
  count = count + redis.call('UNLINK', KEYS[i + 2])
end
return count
