-- Deletes all memories; returns how many there were. Numbers are never reused, so the last one stays for a while.
check_keys()
local count = redis.call('ZCARD', KEYS[3])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('PEXPIRE', KEYS[5], DAY)
return count
