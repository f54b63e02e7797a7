-- KEYS of every script that changes memories: 1 the memories, 2 the words, 3 the numbers, 4 the numbers by session, 5 the
-- last number.

-- The number of postings added or removed by one command: argument lists are limited.
local MANY = 1000

-- Fails, before anything is written, if a key holds something else.
local function check_keys()
  redis.call('HLEN', KEYS[1])
  redis.call('ZCARD', KEYS[2])
  redis.call('ZCARD', KEYS[3])
  redis.call('ZCARD', KEYS[4])
  redis.call('GET', KEYS[5])
end

-- Extends the life of everything to this many milliseconds from now; 0 means no limit.
local function live_on(ttl)
  ttl = tonumber(ttl)
  local at = now_ms() + ttl
  for i, key in ipairs(KEYS) do
    if ttl == 0 then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIREAT', key, text(i == 5 and at + DAY or at))
    end
  end
end

-- Calls `change` with lists of the members for the words of the text with a number. `words` is each word and how
-- often it occurs, each ended by a NUL, which no word contains.
local function each_posting(number, words, length, change)
  local members = {}
  for word, occurrences in string.gmatch(words, '(%Z+)%z(%d+)%z') do
    members[#members + 1] = word .. '\0' .. number .. ' ' .. occurrences .. ' ' .. length
    if #members == MANY then
      change(members)
      members = {}
    end
  end
  if #members > 0 then
    change(members)
  end
end

-- The edition, which must not change during a search: the corpus, and how much was removed from it.
local function edition(key)
  local found = redis.call('HMGET', key, 'born', 'removed')
  return (found[1] or '') .. ':' .. (found[2] or '0')
end
