-- The tags of the old layout, which are kept as a text: an old server can no longer note any, so that it makes no runs, and
-- whoever continues an interrupted migration still finds them. KEYS: 1 the tags.
if redis.call('TYPE', KEYS[1]).ok == 'zset' then
  redis.call('SET', KEYS[1], table.concat(redis.call('ZRANGE', KEYS[1], 0, -1), ' '))
end
redis.call('SET', KEYS[1], '', 'NX')
return redis.call('GET', KEYS[1])
