-- The common part of all scripts, which precedes each of them.

local DAY = 86400000

-- The server's time in milliseconds.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- An integer as text: tostring() would round it to 14 digits.
local function text(number)
  return string.format('%.0f', number)
end

-- Returns the first of `count` new numbers. They are greater than all earlier ones, even if the key with the last
-- number has expired: no number is less than the time in microseconds.
local function next_numbers(key, count)
  local time = redis.call('TIME')
  local last = tonumber(redis.call('GET', key) or '0') or 0
  local first = math.max(last + 1, time[1] * 1000000 + time[2])
  redis.call('SET', key, text(first + count - 1), 'KEEPTTL')
  return first
end

-- The error for a key that holds something that this program did not write.
local function foreign(key)
  return redis.error_reply('FOREIGN data at ' .. key)
end
