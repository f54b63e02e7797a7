-- The version of the layout, written by the first store that starts.
-- KEYS: 1 the version. ARGV: 1 the version of this program.
local found = redis.call('GET', KEYS[1])
if not found then
  redis.call('SET', KEYS[1], ARGV[1])
  return ARGV[1]
end
return found
