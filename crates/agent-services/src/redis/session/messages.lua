-- Reads messages from a position on, until the reply is large. KEYS: 1 the session. ARGV: 1 the position, or minus the
-- number of last messages, 2 the maximum number, 3 the size of a large reply in bytes.
-- Returns the session's number, its number of messages, the position after the last one that was looked at, and for each
-- message its position and itself; nothing if the session does not exist. The fields of deleted messages are empty.
local info, fault = read_info(KEYS[1])
if fault then
  return fault
end
if not info then
  return false
end
local total, from = tonumber(info[5]), tonumber(ARGV[1])
-- A field that is missing is damage, and shown as such.
local function is_deleted(field)
  return redis.call('HSTRLEN', KEYS[1], field) == 0 and redis.call('HEXISTS', KEYS[1], field) == 1
end
if from < 0 then
  local wanted = -from
  from = total
  while from > 0 and wanted > 0 do
    from = from - 1
    if not is_deleted('m:' .. text(from)) then
      wanted = wanted - 1
    end
  end
end
local places, fields, bytes, next = {}, {}, 0, from
while next < total and #fields < tonumber(ARGV[2]) do
  local field = 'm:' .. text(next)
  if not is_deleted(field) then
    bytes = bytes + redis.call('HSTRLEN', KEYS[1], field)
    if #fields > 0 and bytes > tonumber(ARGV[3]) then
      break
    end
    fields[#fields + 1] = field
    places[#places + 1] = next
  end
  next = next + 1
end
local messages = {}
if #fields > 0 then
  messages = redis.call('HMGET', KEYS[1], unpack(fields))
end
return { info[1], total, next, places, messages }
