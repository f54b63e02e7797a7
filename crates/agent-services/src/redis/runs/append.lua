-- Appends entries, and settles how the run will end. ARGV: 9 whether it will end, 10 how, 11 whether the caller knows of a
-- request to stop. If there is such a request, `cancel` follows the answer.
local run, fault = read_run(KEYS[1], 'owner', 'token', 'entries', 'ended', 'first', 'cancel', 'ending')
if not run then
  return fault or 'missing'
end
if ARGV[9] == '1' and ends_unawares(run, ARGV[11]) then
  return 'canceled'
end
local answer = write(run)
if answer ~= 'new' and answer ~= 'known' then
  return answer
end
if ARGV[9] == '1' then
  redis.call('HSETNX', KEYS[1], 'ending', ARGV[10])
end
publish('run', ID, '')
return answer .. (run.cancel and ' cancel' or '')
