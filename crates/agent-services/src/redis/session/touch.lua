-- Extends the life of a session that was read, unless it is anonymous.
if redis.call('EXISTS', KEYS[1]) == 1 and anonymous_ttl() == 0 then
  check_indexes()
  live_on()
end
return 1
