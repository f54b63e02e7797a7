-- Reads some sessions without their messages, in order, until the reply is large. KEYS: the sessions. ARGV: 1 the size
-- of a large reply in bytes.
local found, bytes = {}, 0
for i, key in ipairs(KEYS) do
  bytes = bytes + redis.call('HSTRLEN', key, 'id') + redis.call('HSTRLEN', key, 'title')
    + redis.call('HSTRLEN', key, 'metadata')
  if i > 1 and bytes > tonumber(ARGV[1]) then
    break
  end
  local info, fault = read_info(key)
  if fault then
    return fault
  end
  found[i] = info
end
return found
