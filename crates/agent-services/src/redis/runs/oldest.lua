-- Lists ended runs that are too old or exceed the size limit, oldest first. KEYS: 1 the ended runs, 2 their total size.
-- ARGV: 1 how many milliseconds they are kept, 2 their maximum total size in bytes, 3 the maximum number of runs.
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
