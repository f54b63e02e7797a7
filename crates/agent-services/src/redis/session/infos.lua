-- Returns the fields of some sessions, in order, until the answer is large. KEYS: the sessions. ARGV: 1 the bytes of a
-- large answer. Data that is not a session becomes an empty list, because it must not make the others unreadable.
local found, bytes = {}, 0
local function length(key, field)
  local length = redis.pcall('HSTRLEN', key, field)
  return type(length) == 'number' and length or 0
end
for i, key in ipairs(KEYS) do
  bytes = bytes + length(key, 'id') + length(key, 'title') + length(key, 'metadata')
  if i > 1 and bytes > tonumber(ARGV[1]) then
    break
  end
  local info = redis.pcall('HMGET', key, unpack(FIELDS))
  if info.err and not string.find(info.err, 'WRONGTYPE', 1, true) then
    return info
  end
  if info.err or not info[1] and redis.call('EXISTS', key) == 1 then
    found[i] = {}
  else
    found[i] = info[1] and info
  end
end
return found
