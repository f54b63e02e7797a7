-- Takes the right to execute a run from the owner that it was seen to have. ARGV: 5 the new owner, 6 the token that was
-- seen.
local run, fault = read_run(KEYS[1], 'status', 'ended', 'token', 'turns', 'entries', 'epochs', 'taken_by')
if not run then
  return fault or 'none'
end
if run.taken_by == CALL then
  return 'taken ' .. run.token
end
if run.ended or run.token ~= ARGV[6] then
  return 'none'
end
if run.status == 'queued' then
  local turns = read_turns(run.turns)
  if turns.active ~= '' or turns.queue[1] ~= ID then
    return 'none'
  end
  table.remove(turns.queue, 1)
  turns.active = ID
  write_turns(turns)
else
  redis.call('HSET', KEYS[1], 'epochs', (run.epochs or '') .. ' ' .. run.entries)
end
redis.call('HSET', KEYS[1], 'taken_by', CALL)
return 'taken ' .. begin(ID, ARGV[5])
