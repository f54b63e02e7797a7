-- Asks a run to stop. ARGV: 5 the owner that ends it if no process executes it.
local run, fault = read_run(KEYS[1], 'status', 'ended', 'owner', 'turns', 'token', 'dequeued_by')
if not run then
  return fault or 'missing'
end
if run.dequeued_by == CALL then
  return 'dequeued ' .. run.token
end
if run.ended then
  return 'ended'
end
if run.status == 'queued' then
  local turns = read_turns(run.turns)
  turns.steered = without(turns.steered, ID)
  turns.queue = without(turns.queue, ID)
  write_turns(turns)
  redis.call('HSET', KEYS[1], 'cancel', '1', 'dequeued_by', CALL)
  return 'dequeued ' .. begin(ID, ARGV[5])
end
redis.call('HSET', KEYS[1], 'cancel', '1')
if run.owner then
  publish('owner', run.owner, ID)
end
return 'requested'
