-- Records that a tag is used. KEYS: 1 the tags. ARGV: 1 the tag.
redis.call('ZADD', KEYS[1], text(now_ms()), ARGV[1])
return 0
