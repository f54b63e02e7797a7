-- Removes deleted runs from a user's list. KEYS: the list. ARGV: from 5 on, the runs.
for i = 5, #ARGV do
  if redis.call('EXISTS', run_key(ARGV[i])) == 0 then
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return 0
