-- Deletes an ended run, and its place in the user's list even if the run has already expired. ARGV: 5 the user as in keys,
-- or nothing, 6 the size of an ended run besides its log, 7 whether to delete a run that has not ended, 8 the only session
-- whose runs are deleted, as `turns` names it, or nothing.
local run, fault = read_run(KEYS[1], 'ended', 'who', 'keys', 'bytes', 'turns', 'owner')
if fault then
  return fault
end
if not run then
  return ARGV[5] ~= '' and redis.call('ZREM', BASE .. 'runs:' .. ARGV[5], ID) == 1 and 'gone' or 'missing'
end
if ARGV[8] ~= '' and ARGV[8] ~= run.turns then
  return 'other'
end
if not run.ended and ARGV[7] ~= '1' then
  return 'unfinished'
end
redis.call('EXISTS', KEYS[2], BASE .. 'runs:' .. run.who)
for _, name in ipairs(words(run.keys)) do
  redis.call('EXISTS', BASE .. 'key:' .. name)
end
if not run.ended then
  local turns = read_turns(run.turns)
  if turns.active == ID then
    release(turns)
  end
  turns.steered = without(turns.steered, ID)
  turns.queue = without(turns.queue, ID)
  write_turns(turns)
end
forget(ID)
if not run.ended and run.owner then
  publish('owner', run.owner, ID)
end
return 'gone ' .. text(tonumber(run.bytes) + tonumber(ARGV[6])) .. ' ' .. run.who
