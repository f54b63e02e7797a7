-- What all scripts share; it is put before each of them.

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

-- The first of `count` new numbers. They are greater than all before, even if the key with the last one is gone: none is
-- less than the time in microseconds.
local function next_numbers(key, count)
  local time = redis.call('TIME')
  local last = tonumber(redis.call('GET', key) or '0') or 0
  local first = math.max(last + 1, time[1] * 1000000 + time[2])
  redis.call('SET', key, text(first + count - 1), 'KEEPTTL')
  return first
end

-- The answer if a key holds something that this program has not written.
local function foreign(key)
  return redis.error_reply('FOREIGN data at ' .. key)
end
