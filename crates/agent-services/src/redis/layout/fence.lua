-- Returns the live owners of the old layout, by the end of their leases. If there are none, and if requested, locks out the
-- old layout's servers by changing the type of the key that has their leases. KEYS: 1 the owners. ARGV: 1 whether to lock
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
