-- Reads messages from a position on, until the reply is large. KEYS: 1 the session. ARGV: 1 the position, or minus the
-- number of last messages, 2 the maximum number, 3 the size of a large reply in bytes.
-- Returns the session's number, its number of messages, the position of the first one, and the messages; nothing if the
-- session does not exist.
local info, fault = read_info(KEYS[1])
if fault then
  return fault
end
if not info then
  return false
end
local total, from = tonumber(info[5]), tonumber(ARGV[1])
if from < 0 then
  from = math.max(total + from, 0)
end
local fields, bytes = {}, 0
for position = from, math.min(from + tonumber(ARGV[2]), total) - 1 do
  local field = 'm:' .. text(position)
  bytes = bytes + redis.call('HSTRLEN', KEYS[1], field)
  if #fields > 0 and bytes > tonumber(ARGV[3]) then
    break
  end
  fields[#fields + 1] = field
end
local messages = {}
if #fields > 0 then
  messages = redis.call('HMGET', KEYS[1], unpack(fields))
end
return { info[1], total, from, messages }
