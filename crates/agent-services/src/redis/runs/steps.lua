-- Reads the steps of a run: keys and data in turn.
local run, fault = read_run(KEYS[1], 'step_bytes')
if not run or not run.step_bytes then
  return fault or {}
end
local all, found = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 5) == 'step:' then
    found[#found + 1] = string.sub(all[i], 6)
    found[#found + 1] = all[i + 1]
  end
end
return found
