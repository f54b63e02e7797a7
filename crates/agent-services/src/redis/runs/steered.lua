-- Reads the records of the inputs handed to a run.
local run, fault = read_run(KEYS[1], 'turns')
if not run then
  return fault or {}
end
local turns, found = read_turns(run.turns), {}
if turns.active == ID then
  for _, id in ipairs(turns.steered) do
    local record = redis.call('HMGET', run_key(id), unpack(FIELDS))
    if record[1] then
      found[#found + 1] = record
    end
  end
end
return found
