-- Creates a run; returns the result. KEYS: 4 the turns of its session, 5 the user's runs, 6 the last number, 7 the
-- idempotency key, if there is one. ARGV: 5 the owner, 6 the policy, 7 how many may wait, 8 how many bytes of requests may
-- wait, 9 how many entries there are, 10 their frames, 11 the user as in keys, 12 the session as in keys, 13 the key as in
-- keys, 14 its fingerprint, then the names and values of fields.
local OWNER, POLICY, MAX_QUEUED, QUEUED_BYTES = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local COUNT, FRAMES = tonumber(ARGV[9]), ARGV[10]
local WHO, WHERE, KEY, FINGERPRINT = ARGV[11], ARGV[12], ARGV[13], ARGV[14]

local before, fault = read_run(KEYS[1], 'made_by', 'said')
if fault then
  return fault
end
if before and before.made_by == CALL then
  return before.said
end
if KEYS[7] then
  local known = redis.call('HMGET', KEYS[7], 'fingerprint', 'run')
  if known[1] then
    return known[1] == FINGERPRINT and 'repeated ' .. known[2] or 'reused'
  elseif POLICY == 'repeat' then
    return 'unknown'
  end
end
if before then
  return 'exists'
end

-- Ended runs expire by themselves, which leaves their places in the list: each new run removes some.
local gone = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, 2)) do
  if redis.call('EXISTS', run_key(id)) == 0 then
    gone[#gone + 1] = id
  end
end
redis.call('GET', KEYS[6])
redis.call('SCARD', KEYS[3])
redis.call('XLEN', KEYS[2])

-- Whether requests that wait leave no room for this one.
local function is_full(turns)
  local waiting, bytes = 0, 0
  for i = 15, #ARGV, 2 do
    if ARGV[i] == 'request' then
      bytes = #ARGV[i + 1]
    end
  end
  for _, list in ipairs({ turns.steered, turns.queue }) do
    for _, id in ipairs(list) do
      waiting = waiting + 1
      bytes = bytes + redis.call('HSTRLEN', run_key(id), 'request')
    end
  end
  return waiting >= MAX_QUEUED or waiting > 0 and bytes > QUEUED_BYTES
end

local said, active, leads_to = 'started 1', nil, ID
if POLICY ~= 'concurrent' then
  local turns = read_turns(WHO .. ':' .. WHERE)
  local first = turns.active ~= '' and turns.active or turns.queue[1]
  local waiting = #turns.steered + #turns.queue
  if turns.active ~= '' then
    active = read_run(run_key(turns.active), 'owner', 'keys', 'ending')
    if not active then
      return absent(run_key(turns.active))
    end
  end
  if not first then
    turns.active = ID
  elseif POLICY == 'reject' then
    return 'busy ' .. first
  elseif is_full(turns) then
    return 'full'
  elseif POLICY == 'steer' and active then
    table.insert(turns.steered, ID)
    said, leads_to = 'steered ' .. turns.active, turns.active
  elseif POLICY == 'interrupt' then
    table.insert(turns.queue, 1, ID)
    said = active and 'queued 1' or 'queued 0'
    if active and not active.ending then
      redis.call('HSET', run_key(turns.active), 'cancel', '1')
    end
  else
    table.insert(turns.queue, ID)
    said = 'queued ' .. text(waiting + (active and 1 or 0))
  end
  write_turns(turns)
  if active and active.owner and (leads_to ~= ID or POLICY == 'interrupt') then
    publish('owner', active.owner, turns.active)
  end
end

local number = text(next_numbers(KEYS[6], 1))
redis.call('PEXPIRE', KEYS[6], DAY)
redis.call('HSET', KEYS[1], 'id', ID, 'number', number, 'status', 'queued', 'entries', text(COUNT), 'bytes', #FRAMES,
  'token', '0', 'who', WHO, 'turns', WHO .. ':' .. WHERE, 'made_by', CALL, 'said', said, unpack(ARGV, 15))
if COUNT > 0 then
  redis.call('XADD', KEYS[2], text(COUNT) .. '-0', 'first', '0', 'count', text(COUNT), 'frames', FRAMES)
end
if said == 'started 1' then
  begin(ID, OWNER)
end
if #gone > 0 then
  redis.call('ZREM', KEYS[5], unpack(gone))
end
redis.call('ZADD', KEYS[5], number, ID)
redis.call('SADD', KEYS[3], ID)
if KEYS[7] then
  redis.call('HSET', KEYS[7], 'fingerprint', FINGERPRINT, 'run', leads_to)
  local others = leads_to ~= ID and active.keys or ''
  redis.call('HSET', run_key(leads_to), 'keys', (others or '') .. ' ' .. WHO .. ':' .. KEY)
end
return said
