-- Appends entries, and keeps how the run is going to end. ARGV: 9 whether it is going to end, 10 how.
local run, fault = read_run(KEYS[1], 'owner', 'token', 'entries', 'ended', 'first')
if not run then
  return fault or 'missing'
end
local answer = write(run)
if answer ~= 'new' and answer ~= 'known' then
  return answer
end
if ARGV[9] == '1' then
  redis.call('HSETNX', KEYS[1], 'ending', ARGV[10])
end
publish('run', ID, '')
return answer
