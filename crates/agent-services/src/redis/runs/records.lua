-- Returns the records of some runs, in order, until the answer is large. KEYS: the runs. ARGV: 5 the bytes of a large
-- answer. Data that is not a record becomes an empty one, because it must not make the others unreadable.
local found, bytes = {}, 0
local function length(key, field)
  local length = redis.pcall('HSTRLEN', key, field)
  return type(length) == 'number' and length or 0
end
for i, key in ipairs(KEYS) do
  bytes = bytes + length(key, 'request') + length(key, 'options')
  if i > 1 and bytes > tonumber(ARGV[5]) then
    break
  end
  local record = redis.pcall('HMGET', key, unpack(FIELDS))
  if record.err and not string.find(record.err, 'WRONGTYPE', 1, true) then
    return record
  end
  if record.err or not record[1] and redis.call('EXISTS', key) == 1 then
    found[i] = {}
  else
    found[i] = record[1] and record
  end
end
return found
