-- Deletes memories; returns how many there were. ARGV: 1 the time to live in milliseconds, then the numbers.
check_keys()
local count = 0
local function remove(members)
  redis.call('ZREM', KEYS[2], unpack(members))
end
for i = 2, #ARGV do
  local number = ARGV[i]
  local found = redis.call('HMGET', KEYS[1], 'h:' .. number, 'w:' .. number)
  if found[1] then
    count = count + 1
    if found[2] then
      local length, words = string.match(found[2], '^(%d+) (.*)$')
      redis.call('HINCRBY', KEYS[1], 'texts', -1)
      redis.call('HINCRBY', KEYS[1], 'words', '-' .. length)
      each_posting(number, words, length, remove)
    end
    redis.call('HDEL', KEYS[1], 'h:' .. number, 'm:' .. number, 'w:' .. number)
    redis.call('ZREM', KEYS[3], number)
    redis.call('ZREM', KEYS[4], string.match(found[1], '^%S+') .. '\0' .. number)
  end
end
if count > 0 then
  redis.call('HINCRBY', KEYS[1], 'removed', count)
end
live_on(ARGV[1])
return count
