-- Trims the log of an ended run to its last entry if the run is to be kept longer. Returns until when that is, and the
-- remaining bytes, including request and options; nothing if the run is to be deleted. A trimmed run stays unchanged.
local run, fault = read_run(KEYS[1], 'kept_until', 'keys', 'entries', 'first', 'bytes', 'step_bytes')
if not run then
  return fault
end
if not run.kept_until or tonumber(run.kept_until) <= now_ms() then
  return false
end
for _, name in ipairs(words(run.keys)) do
  redis.call('HLEN', BASE .. 'key:' .. name)
end
local bytes = run.bytes
if not run.first then
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  local first = last and tonumber(run.entries) - 1 or 0
  local frames = ''
  if last then
    frames = string.sub(last[2][6], skip_frames(last[2][6], tonumber(last[2][4]) - 1))
    redis.call('DEL', KEYS[2])
    redis.call('XADD', KEYS[2], last[1], 'first', text(first), 'count', '1', 'frames', frames)
  end
  bytes = text(#frames + redis.call('HSTRLEN', KEYS[1], 'request') + redis.call('HSTRLEN', KEYS[1], 'options')
    + tonumber(run.step_bytes or '0'))
  redis.call('HSET', KEYS[1], 'first', text(first), 'bytes', bytes)
end
redis.call('PEXPIREAT', KEYS[1], run.kept_until)
redis.call('PEXPIREAT', KEYS[2], run.kept_until)
for _, name in ipairs(words(run.keys)) do
  redis.call('PEXPIREAT', BASE .. 'key:' .. name, run.kept_until)
end
return { run.kept_until, bytes }
