-- Reads memories before a number, newest first, until the reply is large. KEYS: 1 the memories, 2 the numbers
-- or the numbers by session. ARGV: 1 the size of a large reply in bytes, 2 how many, 3 the greatest member, 4 the
-- least. Returns for each its number, the stored data except the message, and the message.
local found, bytes = {}, 0
local members = redis.call('ZREVRANGEBYLEX', KEYS[2], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[2])
for i, member in ipairs(members) do
  local number = string.sub(member, -16)
  local head, message = 'h:' .. number, 'm:' .. number
  bytes = bytes + redis.call('HSTRLEN', KEYS[1], head) + redis.call('HSTRLEN', KEYS[1], message)
  if i > 1 and bytes > tonumber(ARGV[1]) then
    break
  end
  local item = redis.call('HMGET', KEYS[1], head, message)
  found[i] = { number, item[1], item[2] }
end
return found
