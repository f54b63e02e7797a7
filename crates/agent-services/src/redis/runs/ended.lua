-- Notes that a run has ended. KEYS: 1 the ended runs, 2 how many bytes they have. ARGV: 1 the run with its bytes and its
-- user, 2 its bytes.
if redis.call('ZADD', KEYS[1], 'NX', text(now_ms()), ARGV[1]) == 1 then
  redis.call('INCRBY', KEYS[2], ARGV[2])
end
return 0
