-- Asks a run to stop, or ends one that waits. Returns what was done, the user as in keys, and how many bytes the log has.
-- ARGV: 5 nothing, 6 to 8 the last entries of one that waits, 9 the time, 10 for how many milliseconds an ended run is kept
-- that does not ask for more.
local run, fault = read_run(KEYS[1], 'status', 'ended', 'owner', 'turns', 'entries', 'first', 'who', 'bytes', 'keys',
  'kept_for', 'dequeued_by')
if not run then
  return fault or { 'missing', '', '0' }
end
if run.dequeued_by == CALL then
  return { 'dequeued', run.who, run.bytes }
end
if run.ended then
  return { 'ended', '', '0' }
end
if run.status == 'queued' then
  check_end(run)
  local turns = read_turns(run.turns)
  local answer = extend(run)
  if answer ~= 'new' then
    return { 'gap', '', '0' }
  end
  turns.steered = without(turns.steered, ID)
  turns.queue = without(turns.queue, ID)
  write_turns(turns)
  redis.call('HSET', KEYS[1], 'cancel', '1', 'dequeued_by', CALL)
  return { 'dequeued', run.who, finish(run, 'canceled', ARGV[9], ARGV[10]) }
end
redis.call('HSET', KEYS[1], 'cancel', '1')
if run.owner then
  publish('owner', run.owner, ID)
end
return { 'requested', '', '0' }
