-- Takes the right to execute a run from the owner that the caller saw. KEYS: 4 the leases, unless they are on another
-- node of a cluster. ARGV: 5 the new owner, 6 the token that was seen, 7 and 8 the leases of the new owner and of the one
-- that was seen, as they were read before, if they are on another node.
local run, fault = read_run(KEYS[1], 'status', 'ended', 'token', 'turns', 'entries', 'epochs', 'taken_by', 'taken_until',
  'owner')
if not run then
  return fault or 'none'
end
if run.taken_by == CALL then
  return 'taken ' .. run.token
end
if run.ended or run.token ~= ARGV[6] then
  return 'none'
end
local function lease(owner, as_read)
  return lease_of(KEYS[4] and redis.call('HGET', KEYS[4], owner) or as_read)
end
local now, taker = now_ms(), lease(ARGV[5], ARGV[7])
if not taker or taker.ends <= now then
  return 'lapsed'
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
  -- An owner that has not released its lease may only have lost Redis for a while, like all other owners.
  local other = run.owner and run.owner ~= ARGV[5] and lease(run.owner, ARGV[8])
  if other and (other.ends > now or taker.since + taker.length > now or tonumber(run.taken_until or '0') > now) then
    return 'none'
  end
  redis.call('HSET', KEYS[1], 'epochs', (run.epochs or '') .. ' ' .. run.entries, 'taken_until', text(now + taker.length))
end
redis.call('HSET', KEYS[1], 'taken_by', CALL)
return 'taken ' .. begin(ID, ARGV[5])
