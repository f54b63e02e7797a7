-- Extends the time for which a run counts as having a reader; returns it in milliseconds. ARGV: 5 the minimum time.
local run, fault = read_run(KEYS[1], 'attended_until')
if not run then
  return fault
end
local now = now_ms()
local known = tonumber(run.attended_until or '0')
local wanted = now + tonumber(ARGV[5])
if tonumber(ARGV[5]) > 0 and wanted > known then
  redis.call('HSET', KEYS[1], 'attended_until', text(wanted))
  known = wanted
end
return text(math.max(0, known - now))
