-- Appends the last entries, ends the run and hands its session on. Returns the answer, the next run with its token or
-- nothing, the user as in keys, and the size of the log in bytes. ARGV: 9 the status, 10 the time, 11 whether a process
-- executes the next run, 12 which one, 13 the default retention of an ended run in milliseconds, 14 whether the caller
-- knows of a request to stop.
local run, fault = read_run(KEYS[1], 'owner', 'token', 'entries', 'ended', 'turns', 'who', 'bytes', 'keys', 'granted',
  'first', 'kept_for', 'cancel', 'ending')
if not run then
  return fault or { 'missing', '', '', '0' }
end
if ends_unawares(run, ARGV[14]) then
  return { 'canceled', '', '', '0' }
end
check_end(run)
local turns = read_turns(run.turns)
if turns.active == ID then
  release(turns)
end
local next = nil
if ARGV[11] == '1' and turns.active == '' and #turns.queue > 0 then
  next = table.remove(turns.queue, 1)
  turns.active = next
  if not read_run(run_key(next)) then
    return absent(run_key(next))
  end
end

local answer = write(run)
if answer == 'known' then
  return run.ended and { 'known', run.granted or '', run.who, run.bytes } or { 'behind', '', '', '0' }
end
if answer ~= 'new' then
  return { answer, '', '', '0' }
end
write_turns(turns)
local granted = next and next .. ' ' .. begin(next, ARGV[12]) or ''
redis.call('HSET', KEYS[1], 'granted', granted)
return { 'new', granted, run.who, finish(run, ARGV[9], ARGV[10], ARGV[13]) }
