-- Lets memories that were read live on. ARGV: 1 the milliseconds to live.
check_keys()
live_on(ARGV[1])
return 1
