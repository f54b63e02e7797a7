-- Extends the life of a session whose states were read.
if redis.call('EXISTS', KEYS[1]) == 1 then
  check_keys()
  live_on()
end
return 1
