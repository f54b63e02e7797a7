-- Lets a session whose states were read live on.
if redis.call('EXISTS', KEYS[1]) == 1 then
  check_keys()
  live_on()
end
return 1
