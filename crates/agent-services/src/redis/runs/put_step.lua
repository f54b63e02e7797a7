-- Keeps a step of a run, in a field of its own. ARGV: 5 the token, or nothing to keep the step only if there is none with
-- its key, 6 the key, 7 the data. Returns `done`, `kept` with the earlier data, or the reason of a rejection.
local field = 'step:' .. ARGV[6]
local run, fault = read_run(KEYS[1], 'owner', 'token', 'ended', field)
if not run then
  return fault or { 'missing', '' }
end
local earlier = run[field]
if ARGV[5] == '' then
  if earlier then
    return { 'kept', earlier }
  end
elseif not run.owner or run.token ~= ARGV[5] then
  return { 'owner', '' }
elseif run.ended then
  return { 'ended', '' }
end
local more = #ARGV[7] + (earlier and -#earlier or #ARGV[6])
redis.call('HSET', KEYS[1], field, ARGV[7])
redis.call('HINCRBY', KEYS[1], 'step_bytes', more)
if not run.ended then
  redis.call('HINCRBY', KEYS[1], 'bytes', more)
end
return { 'done', '' }
