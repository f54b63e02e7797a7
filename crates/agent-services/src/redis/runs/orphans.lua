-- Lists orphaned runs of a tag. KEYS: the unfinished runs of the tag. ARGV: 5 the maximum number, then the owners
-- with a live lease.
local lives, found = {}, {}
for i = 6, #ARGV do
  lives[ARGV[i]] = true
end
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local run = read_run(run_key(id), 'status', 'owner', 'turns')
  local is_orphan = false
  if run and run.status == 'queued' then
    local turns = read_turns(run.turns)
    is_orphan = turns.active == '' and turns.queue[1] == id
  elseif run then
    is_orphan = not (run.owner and lives[run.owner])
  end
  if is_orphan then
    found[#found + 1] = id
    if #found >= tonumber(ARGV[5]) then
      break
    end
  end
end
return { redis.call('SCARD', KEYS[1]), found }
