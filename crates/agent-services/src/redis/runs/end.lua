-- Ending a run. Needs the fields 'keys' and 'kept_for'.

-- Fails, before anything is written, if a key that `finish` writes cannot be read.
local function check_end(run)
  redis.call('SCARD', KEYS[3])
  redis.call('XLEN', KEYS[2])
  for _, name in ipairs(words(run.keys)) do
    redis.call('HLEN', BASE .. 'key:' .. name)
  end
end

-- Ends a run whose log is complete; returns how many bytes the log has.
local function finish(run, status, now, kept)
  redis.call('HSET', KEYS[1], 'status', status, 'ended', now)
  if run.kept_for then
    -- A thousand years count as forever.
    local longer = math.min(tonumber(run.kept_for) * 1000, 366000 * DAY)
    redis.call('HSET', KEYS[1], 'kept_until', text(now_ms() + longer))
    kept = text(math.max(tonumber(kept), longer))
  end
  redis.call('SREM', KEYS[3], ID)
  -- Before the next line, which may delete the run at once.
  local bytes = redis.call('HGET', KEYS[1], 'bytes')
  redis.call('PEXPIRE', KEYS[1], kept)
  redis.call('PEXPIRE', KEYS[2], kept)
  for _, name in ipairs(words(run.keys)) do
    redis.call('PEXPIRE', BASE .. 'key:' .. name, kept)
  end
  publish('run', ID, '')
  return bytes
end
