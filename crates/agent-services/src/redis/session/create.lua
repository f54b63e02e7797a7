-- Creates a session, or returns the existing one. ARGV: 3 its id, 4 the time.
local info, fault = read_info(KEYS[1])
if fault then
  return fault
end
check_indexes()
if not info then
  make(ARGV[3], ARGV[4])
end
name()
live_on()
return (read_info(KEYS[1]))
