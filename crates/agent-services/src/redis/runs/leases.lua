-- Leases: a hash from each owner that has not released its lease to three numbers.

-- Until when a lease lasts, since when it has been held without a gap, and its length at the last renewal.
local function lease_of(value)
  local ends, since, length = string.match(value or '', '^(%d+) (%d+) (%d+)$')
  return ends and { ends = tonumber(ends), since = tonumber(since), length = tonumber(length) }
end
