-- Stores a state; returns its round, or nothing if no round is left. ARGV: 3 the round in 20 digits, or nothing for the
-- one after the greatest, 4 the state.
-- A round may be greater than a Lua number can represent, so rounds stay texts.
local GREATEST = '18446744073709551615'

local function after(round)
  local head, nines = string.match(round, '^(.-)(9*)$')
  return string.sub(head, 1, -2) .. (tonumber(string.sub(head, -1)) + 1) .. string.rep('0', #nines)
end

check_keys()
local round = ARGV[3]
if round == '' then
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0)[1]
  if last == GREATEST then
    return false
  end
  round = last and after(last) or '00000000000000000001'
end
redis.call('HSET', KEYS[2], round, ARGV[4])
redis.call('ZADD', KEYS[1], 0, round)
live_on()
return round
