-- The owners that live. KEYS: 1 the owners.
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now_ms()), '+inf')
