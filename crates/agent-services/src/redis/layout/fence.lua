-- The owners of the old layout that live, by the end of their leases. If there are none and it is wanted, locks the old layout's
-- servers out: their leases are at a key that from then on has another type. KEYS: 1 the owners. ARGV: 1 whether to lock
-- out.
if redis.call('TYPE', KEYS[1]).ok == 'zset' then
  local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now_ms()), '+inf', 'WITHSCORES')
  if #live > 0 then
    return live
  end
end
if ARGV[1] == '1' then
  redis.call('SET', KEYS[1], 'moved')
end
return {}
