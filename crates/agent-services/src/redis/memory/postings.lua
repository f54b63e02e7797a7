-- Reads the texts that contain some words, until the reply is large. KEYS: 1 the memories, 2 the words, 3 the last
-- number. ARGV: 1 the edition, empty at first, 2 the last number that counts, empty at first, 3 the maximum number of
-- postings, then each word and the number after which to continue.
-- Returns the edition, how many texts and words there are, the last number that counts, and the members of each word;
-- only the edition, if it has changed.
local found = edition(KEYS[1])
if ARGV[1] ~= '' and ARGV[1] ~= found then
  return { found }
end
local corpus = redis.call('HMGET', KEYS[1], 'texts', 'words')
local last = ARGV[2]
if last == '' then
  last = string.format('%016.0f', tonumber(redis.call('GET', KEYS[3]) or '0') or 0)
end
local left, postings = tonumber(ARGV[3]), {}
for i = 4, #ARGV, 2 do
  local word, after = ARGV[i] .. '\0', ARGV[i + 1]
  -- The rest of a member follows its number, and is less than any byte 255.
  local low = '(' .. word .. (after ~= '' and after .. '\255' or '')
  local high = '[' .. word .. last .. '\255'
  local members = redis.call('ZRANGEBYLEX', KEYS[2], low, high, 'LIMIT', 0, left)
  left = left - #members
  postings[#postings + 1] = members
end
return { found, corpus[1] or '0', corpus[2] or '0', last, postings }
