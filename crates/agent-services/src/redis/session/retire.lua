-- Lets the last number of a user without sessions expire. KEYS: 1 the index by number, 2 the last number.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('PEXPIRE', KEYS[2], DAY)
end
return 1
