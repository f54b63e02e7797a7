-- What is known of some sessions, in order, until the answer is large. KEYS: the sessions. ARGV: 1 the bytes of a large
-- answer.
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
