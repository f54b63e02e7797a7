-- Renames keys; returns how many, and how many could not be renamed because the new name is taken. A missing key was
-- renamed before. KEYS: old and new names in turn.
local renamed, taken = 0, 0
for i = 1, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    local done = redis.call('RENAMENX', KEYS[i], KEYS[i + 1])
    renamed, taken = renamed + done, taken + 1 - done
  end
end
return { renamed, taken }
