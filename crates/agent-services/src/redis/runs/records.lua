-- The records of some runs, in order, until the answer is large. KEYS: the runs. ARGV: 5 the bytes of a large answer.
local found, bytes = {}, 0
for i, key in ipairs(KEYS) do
  bytes = bytes + redis.call('HSTRLEN', key, 'request') + redis.call('HSTRLEN', key, 'options')
  if i > 1 and bytes > tonumber(ARGV[5]) then
    break
  end
  local record = redis.call('HMGET', key, unpack(FIELDS))
  if not record[1] and redis.call('EXISTS', key) == 1 then
    return foreign(key)
  end
  found[i] = record[1] and record
end
return found
