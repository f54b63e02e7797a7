-- Forgets a run that has ended, and its place among the user's if Redis has forgotten it already. ARGV: 5 the user as in
-- keys, or nothing, 6 what an ended run takes besides its log.
local run, fault = read_run(KEYS[1], 'ended', 'who', 'keys', 'bytes')
if fault then
  return fault
end
if not run then
  return ARGV[5] ~= '' and redis.call('ZREM', BASE .. 'runs:' .. ARGV[5], ID) == 1 and 'gone' or 'missing'
end
if not run.ended then
  return 'unfinished'
end
redis.call('EXISTS', KEYS[2], BASE .. 'runs:' .. run.who)
for _, name in ipairs(words(run.keys)) do
  redis.call('EXISTS', BASE .. 'key:' .. name)
end
forget(ID)
return 'gone ' .. text(tonumber(run.bytes) + tonumber(ARGV[6])) .. ' ' .. run.who
