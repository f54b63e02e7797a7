-- Returns a part of a log, if it is kept: whether nothing follows it, then the first number, the count and the frames of
-- each batch. ARGV: 5 the number of the first wanted entry, 6 roughly how many bytes to return.
local run, fault = read_run(KEYS[1], 'ended', 'first')
if not run or tonumber(run.first or '0') > tonumber(ARGV[5]) then
  return fault
end
local most = tonumber(ARGV[6])
local found, bytes, from, step = {}, 0, '(' .. ARGV[5], 4
while true do
  -- The wanted entry is in the first batch that ends after it.
  local part = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', step)
  for _, batch in ipairs(part) do
    if bytes >= most and #found > 0 then
      return { 0, found }
    end
    found[#found + 1] = { batch[2][2], batch[2][4], batch[2][6] }
    bytes = bytes + #batch[2][6]
    from = '(' .. batch[1]
  end
  if #part < step then
    return { run.ended and 1 or 0, found }
  end
  -- As many as probably fit.
  step = math.max(1, math.min(128, math.ceil((most - bytes) / (bytes / #found + 1))))
end
