-- Records that a run has ended, or is trimmed. KEYS: 1 the runs, 2 their size in bytes. ARGV: 1 the run with its bytes and
-- its user, 2 its bytes, 3 until when a trimmed run is kept.
if redis.call('ZADD', KEYS[1], 'NX', ARGV[3] or text(now_ms()), ARGV[1]) == 1 then
  redis.call('INCRBY', KEYS[2], ARGV[2])
end
return 0
