-- Reads some memories, in order, until the reply is large. KEYS: 1 the memories. ARGV: 1 the size of a large reply in
-- bytes, then the numbers. Returns for each the stored data except the message, and the message.
local found, bytes = {}, 0
for i = 2, #ARGV do
  local head, message = 'h:' .. ARGV[i], 'm:' .. ARGV[i]
  bytes = bytes + redis.call('HSTRLEN', KEYS[1], head) + redis.call('HSTRLEN', KEYS[1], message)
  if i > 2 and bytes > tonumber(ARGV[1]) then
    break
  end
  found[i - 1] = redis.call('HMGET', KEYS[1], head, message)
end
return found
