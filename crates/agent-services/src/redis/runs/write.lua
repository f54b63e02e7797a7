-- Writing a log. ARGV: 5 the token, 6 the number of the first entry, 7 how many there are, 8 their frames.

-- Whether the log has exactly these entries, which are before its end.
local function has_entries(first, count, frames)
  local from, at, left = first, 1, count
  while left > 0 do
    local found = redis.call('XRANGE', KEYS[2], text(from + 1) .. '-0', '+', 'COUNT', 1)[1]
    if not found then
      return false
    end
    local start, held = tonumber(found[2][2]), tonumber(found[2][4])
    local kept = found[2][6]
    local skipped = from - start
    local taken = math.min(left, held - skipped)
    local begins = skip_frames(kept, skipped)
    local piece = string.sub(kept, begins, begins + skip_frames(string.sub(kept, begins), taken) - 2)
    if string.sub(frames, at, at + #piece - 1) ~= piece then
      return false
    end
    from, at, left = from + taken, at + #piece, left - taken
  end
  return at == #frames + 1
end

-- Appends the entries without checking the owner. Returns `new`, `known`, or the reason of a rejection.
-- Needs the fields 'entries', 'ended' and 'first'.
local function extend(run)
  local first, count, frames = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
  local next = tonumber(run.entries)
  if first ~= next then
    local is_known = first >= tonumber(run.first or '0') and first < next and first + count <= next
      and has_entries(first, count, frames)
    return is_known and 'known' or 'gap'
  end
  if run.ended then
    -- A repeated finish without entries appends no entries at the end of the log.
    return count == 0 and 'known' or 'ended'
  end
  if count > 0 then
    redis.call('XADD', KEYS[2], text(first + count) .. '-0', 'first', text(first), 'count', text(count), 'frames', frames)
    redis.call('HSET', KEYS[1], 'entries', text(first + count))
    redis.call('HINCRBY', KEYS[1], 'bytes', #frames)
  end
  return 'new'
end

-- The same, for the owner only. Needs the fields 'owner' and 'token', too.
local function write(run)
  if not run.owner or run.token ~= ARGV[5] then
    return 'owner'
  end
  return extend(run)
end

-- Whether the owner would end a run without knowing that it was asked to stop, and without having settled the end before.
-- Needs the fields 'owner', 'token', 'ended', 'ending' and 'cancel'.
local function ends_unawares(run, cancel_seen)
  local is_owner = run.owner and run.token == ARGV[5]
  return is_owner and run.cancel and not run.ending and not run.ended and cancel_seen ~= '1'
end
