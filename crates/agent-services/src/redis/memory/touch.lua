-- Extends the life of memories that were read. ARGV: 1 the time to live in milliseconds.
check_keys()
live_on(ARGV[1])
return 1
