-- Removes deleted runs from the ended runs. KEYS: 1 the ended runs, 2 their total size. ARGV: the runs, as they were
-- recorded.
for _, member in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[1], member) == 1 then
    redis.call('DECRBY', KEYS[2], string.match(member, ' (%d+) ') or '0')
  end
end
return 0
