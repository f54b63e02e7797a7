-- The frames of a log.

-- Returns the offset of the frame that follows the first `count` frames.
local function skip_frames(frames, count)
  local at = 1
  for _ = 1, count do
    local _, last = string.find(frames, '\n\n', at, true)
    if not last then
      return #frames + 1
    end
    at = last + 1
  end
  return at
end
