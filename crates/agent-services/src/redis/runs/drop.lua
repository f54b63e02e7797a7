-- Drops the inputs that were handed to a run and that it has taken. ARGV: 5 the token, then the runs that were taken.
local run, fault = read_run(KEYS[1], 'owner', 'token', 'turns', 'who')
if not run then
  return fault or 'missing'
end
if not run.owner or run.token ~= ARGV[5] then
  return 'owner'
end
local turns, taken = read_turns(run.turns), {}
for i = 6, #ARGV do
  if turns.active == ID and has(turns.steered, ARGV[i]) then
    redis.call('EXISTS', run_key(ARGV[i]), log_key(ARGV[i]), BASE .. 'runs:' .. run.who)
    turns.steered = without(turns.steered, ARGV[i])
    taken[#taken + 1] = ARGV[i]
  end
end
redis.call('SCARD', KEYS[3])
if #taken > 0 then
  write_turns(turns)
end
for _, id in ipairs(taken) do
  forget(id)
end
return 'done'
