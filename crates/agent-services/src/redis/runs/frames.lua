-- The frames of a log.

-- Where the frame after the first ones starts.
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
