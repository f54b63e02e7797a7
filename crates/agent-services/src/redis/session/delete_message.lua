-- Deletes one message; returns 1 if it existed. An empty field is left in its place, as positions never change.
-- KEYS: 1 the session. ARGV: 1 the position, 2 the message as it was read, 3 the field of its id or nothing.
local info, fault = read_info(KEYS[1])
if fault then
  return fault
end
local field = 'm:' .. ARGV[1]
if not info or redis.call('HGET', KEYS[1], field) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], field, '', 'bytes', text(tonumber(info[6]) - #ARGV[2]))
if ARGV[3] ~= '' then
  redis.call('HDEL', KEYS[1], ARGV[3])
end
return 1
