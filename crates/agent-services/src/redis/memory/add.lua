-- Stores messages; returns the number of the first. ARGV: 1 the time to live in milliseconds, 2 the session's part of
-- members, 3 the stored data of each except the message, then for each the message, its number of words, and the words.
check_keys()
local total = (#ARGV - 3) / 3
local first = next_numbers(KEYS[5], total)
redis.call('HSETNX', KEYS[1], 'born', text(first))
local function add(members)
  local scored = {}
  for i, member in ipairs(members) do
    scored[2 * i - 1], scored[2 * i] = 0, member
  end
  redis.call('ZADD', KEYS[2], unpack(scored))
end
for i = 1, total do
  local message, length, words = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
  local number = string.format('%016.0f', first + i - 1)
  redis.call('HSET', KEYS[1], 'h:' .. number, ARGV[2] .. ' ' .. ARGV[3], 'm:' .. number, message)
  if length ~= '0' then
    redis.call('HSET', KEYS[1], 'w:' .. number, length .. ' ' .. words)
    redis.call('HINCRBY', KEYS[1], 'texts', 1)
    redis.call('HINCRBY', KEYS[1], 'words', length)
    each_posting(number, words, length, add)
  end
  redis.call('ZADD', KEYS[3], 0, number)
  redis.call('ZADD', KEYS[4], 0, ARGV[2] .. '\0' .. number)
end
live_on(ARGV[1])
return text(first)
