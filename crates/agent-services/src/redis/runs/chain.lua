-- Returns a run and the runs that it continues, as long as they are in this slot and up to a number of bytes: the record of
-- each, and the last entry of its log if it has ended. Runs of another user are in another slot. ARGV: 5 the bytes.
local ENDED = 10
local tag = string.sub(ID, -4)
local found, bytes, id = {}, 0, ID
while id and bytes <= tonumber(ARGV[5]) do
  local record = redis.call('HMGET', run_key(id), unpack(FIELDS))
  if not record[1] then
    if redis.call('EXISTS', run_key(id)) == 1 then
      return foreign(run_key(id))
    end
    break
  end
  local frames = ''
  if record[ENDED] then
    local last = redis.call('XREVRANGE', log_key(id), '+', '-', 'COUNT', 1)[1]
    if last then
      frames = string.sub(last[2][6], skip_frames(last[2][6], tonumber(last[2][4]) - 1))
    end
  end
  found[#found + 1] = { record, frames }
  bytes = bytes + #frames + redis.call('HSTRLEN', run_key(id), 'request')
  id = redis.call('HGET', run_key(id), 'continues')
  if id and string.sub(id, -4) ~= tag then
    id = false
  end
end
return found
