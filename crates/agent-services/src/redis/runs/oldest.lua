-- Ended runs that are too old or too much, the oldest first. KEYS: 1 the ended runs, 2 how many bytes they have. ARGV: 1 for
-- how many milliseconds they are kept, 2 how many bytes they may have, 3 how many runs to give.
local now, bytes = now_ms(), tonumber(redis.call('GET', KEYS[2]) or '0')
local oldest = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1, 'WITHSCORES')
local found = {}
for i = 1, #oldest, 2 do
  if bytes <= tonumber(ARGV[2]) and now - tonumber(oldest[i + 1]) < tonumber(ARGV[1]) then
    break
  end
  found[#found + 1] = oldest[i]
  bytes = bytes - (tonumber(string.match(oldest[i], ' (%d+) ')) or 0)
end
return found
