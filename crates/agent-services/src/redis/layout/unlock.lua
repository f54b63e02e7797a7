-- Releases the lock. KEYS: 1 the lock. ARGV: 1 the holder.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 0
