-- Creates or renews a lease. KEYS: 1 the leases. ARGV: 1 the owner, 2 the length in milliseconds, 3 for how many
-- milliseconds an expired lease is remembered.
local now = now_ms()
local known = lease_of(redis.call('HGET', KEYS[1], ARGV[1]))
local since = known and known.ends > now and known.since or now
redis.call('HSET', KEYS[1], ARGV[1], text(now + tonumber(ARGV[2])) .. ' ' .. text(since) .. ' ' .. ARGV[2])
if since == now then
  -- A new owner removes leases that expired long ago.
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local lease = lease_of(all[i + 1])
    if lease and lease.ends + tonumber(ARGV[3]) <= now then
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
end
return 0
