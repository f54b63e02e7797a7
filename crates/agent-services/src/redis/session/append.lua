-- Appends messages. Returns the position of the first one, how many were stored, and whether the append was rejected; if so,
-- the second value is the number of messages and the fourth the number of bytes that the session would have.
-- ARGV: 3 the id of the session, 4 the time, 5 the maximum number of messages, 6 the maximum number of bytes, 7 the
-- field of the batch key or nothing, 8 how many of the first messages are skipped if they are known, 9 the lifetime of
-- an anonymous session in milliseconds, or nothing if this names the session, then for each message the field of its id
-- or nothing, and the message.
local info, fault = read_info(KEYS[1])
if fault then
  return fault
end
check_indexes()
local first = info and tonumber(info[5]) or 0
local bytes = info and tonumber(info[6]) or 0
if info and ARGV[7] ~= '' and redis.call('HEXISTS', KEYS[1], ARGV[7]) == 1 then
  live_on()
  return { first, 0, 0, 0 }
end
local kept, seen = {}, {}
for i = 10, #ARGV, 2 do
  local id = ARGV[i]
  local may_be_known = (i - 10) / 2 < tonumber(ARGV[8])
  local known = may_be_known and id ~= '' and (seen[id] or redis.call('HEXISTS', KEYS[1], id) == 1)
  if not known then
    seen[id] = true
    kept[#kept + 1] = i
    bytes = bytes + #ARGV[i + 1]
  end
end
local count = first + #kept
if count > tonumber(ARGV[5]) or bytes > tonumber(ARGV[6]) then
  return { first, count, 1, bytes }
end
if not info then
  make(ARGV[3], ARGV[4])
end
if ARGV[9] == '' then
  name()
elseif not info or anonymous_ttl() > 0 then
  redis.call('HSET', KEYS[1], 'anonymous', ARGV[9])
end
for offset, i in ipairs(kept) do
  redis.call('HSET', KEYS[1], 'm:' .. text(first + offset - 1), ARGV[i + 1])
  if ARGV[i] ~= '' then
    redis.call('HSET', KEYS[1], ARGV[i], '1')
  end
end
redis.call('HSET', KEYS[1], 'count', text(count), 'bytes', text(bytes), 'updated', ARGV[4])
if ARGV[7] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[7], '1')
end
live_on()
return { first, #kept, 0, 0 }
