-- Lets a session that was read live on.
if redis.call('EXISTS', KEYS[1]) == 1 then
  check_indexes()
  live_on()
end
return 1
