-- Reads a state and its round, or nothing. KEYS: 1 the rounds, 2 the states. ARGV: 1 the round, or nothing for the
-- greatest.
local round = ARGV[1]
if round == '' then
  round = redis.call('ZREVRANGE', KEYS[1], 0, 0)[1]
end
if not round then
  return false
end
local state = redis.call('HGET', KEYS[2], round)
if state then
  return { round, state }
end
if redis.call('ZSCORE', KEYS[1], round) then
  return foreign(KEYS[2])
end
return false
