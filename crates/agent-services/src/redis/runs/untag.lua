-- Removes a tag without runs, unless it may have been used again. KEYS: 1 the tags. ARGV: 1 the tag, 2 when it was used
-- last, as read before its runs were looked up.
local used = redis.call('ZSCORE', KEYS[1], ARGV[1])
if used and tonumber(used) == tonumber(ARGV[2]) and now_ms() - tonumber(used) > 60000 then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
