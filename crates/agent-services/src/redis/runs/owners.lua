-- Returns the owners with a live lease. KEYS: 1 the leases.
local now, living = now_ms(), {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local lease = lease_of(all[i + 1])
  if lease and lease.ends > now then
    living[#living + 1] = all[i]
  end
end
return living
