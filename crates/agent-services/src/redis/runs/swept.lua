-- Strikes ended runs that were forgotten. KEYS: 1 the ended runs, 2 how many bytes they have. ARGV: the runs, as they were
-- noted.
for _, member in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[1], member) == 1 then
    redis.call('DECRBY', KEYS[2], string.match(member, ' (%d+) ') or '0')
  end
end
return 0
