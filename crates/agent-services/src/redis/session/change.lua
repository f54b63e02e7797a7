-- Changes title and metadata; returns the changed session, or nothing if it does not exist.
-- ARGV: 3 the time, 4 'set', 'remove' or 'keep', 5 the title, 6 'set' or 'keep', 7 the metadata.
local info, fault = read_info(KEYS[1])
if fault then
  return fault
end
if not info then
  return false
end
check_indexes()
name()
if ARGV[4] == 'set' then
  redis.call('HSET', KEYS[1], 'title', ARGV[5])
elseif ARGV[4] == 'remove' then
  redis.call('HDEL', KEYS[1], 'title')
end
if ARGV[6] == 'set' then
  redis.call('HSET', KEYS[1], 'metadata', ARGV[7])
end
redis.call('HSET', KEYS[1], 'updated', ARGV[3])
live_on()
return (read_info(KEYS[1]))
