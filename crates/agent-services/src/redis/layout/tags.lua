-- Returns the tags of the old layout and keeps them as a string: an old server can no longer register tags, so it creates no
-- runs, and a server that resumes an interrupted migration still finds them. KEYS: 1 the tags.
if redis.call('TYPE', KEYS[1]).ok == 'zset' then
  redis.call('SET', KEYS[1], table.concat(redis.call('ZRANGE', KEYS[1], 0, -1), ' '))
end
redis.call('SET', KEYS[1], '', 'NX')
return redis.call('GET', KEYS[1])
