-- Asks a run to stop, or ends a queued one. Returns what was done, the user as in keys, and the size of the log in bytes.
-- ARGV: 5 nothing, 6 to 8 the last entries of a queued run, 9 the time, 10 the default retention of an ended run in
-- milliseconds.
local run, fault = read_run(KEYS[1], 'status', 'ended', 'owner', 'turns', 'entries', 'first', 'who', 'bytes', 'keys',
  'kept_for', 'dequeued_by', 'ending')
if not run then
  return fault or { 'missing', '', '0' }
end
if run.dequeued_by == CALL then
  return { 'dequeued', run.who, run.bytes }
end
if run.ended or run.ending then
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
