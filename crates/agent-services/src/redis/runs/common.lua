-- Shared by the scripts about runs. KEYS of scripts about one run: 1 the run, 2 its log, 3 the unfinished runs of its tag.
-- ARGV: 1 the prefix of all keys and channels, 2 the same with the tag, 3 the id of the run, 4 a name of the call, which is
-- the same when the client repeats it after a lost answer.
--
-- Keys whose names are only known from the data are read before anything is written: while a cluster moves the slot, such a
-- read fails, and then nothing has changed.

local ROOT, BASE, ID, CALL = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local FIELDS = {
  'id', 'user', 'session', 'agent', 'created', 'request', 'options', 'status', 'number', 'ended', 'entries', 'epochs',
  'cancel', 'ending', 'kept_for', 'first',
}

local function run_key(id)
  return BASE .. 'run:' .. id
end

local function log_key(id)
  return run_key(id) .. ':log'
end

-- Some fields of a run by their names, or nothing; the second value is a fault.
local function read_run(key, ...)
  local names = { 'id', ... }
  local values = redis.call('HMGET', key, unpack(names))
  if not values[1] then
    return nil, redis.call('EXISTS', key) == 1 and foreign(key) or nil
  end
  local run = {}
  for i, name in ipairs(names) do
    run[name] = values[i]
  end
  return run
end

-- The answer if a run is listed but missing: the slot is being moved, or the data was evicted.
local function absent(key)
  return redis.error_reply('ABSENT data at ' .. key)
end

-- The words of a text.
local function words(list)
  local found = {}
  for word in string.gmatch(list or '', '%S+') do
    found[#found + 1] = word
  end
  return found
end

-- A list without some of its words.
local function without(list, gone)
  local kept = {}
  for _, word in ipairs(list) do
    if word ~= gone then
      kept[#kept + 1] = word
    end
  end
  return kept
end

local function has(list, wanted)
  for _, word in ipairs(list) do
    if word == wanted then
      return true
    end
  end
  return false
end

-- The queue of a session: the run in progress, the inputs handed to it, and the queued runs.
local function read_turns(name)
  local key = BASE .. 'turns:' .. name
  local known = redis.call('HMGET', key, 'active', 'steered', 'queue')
  return { key = key, active = known[1] or '', steered = words(known[2]), queue = words(known[3]) }
end

local function write_turns(turns)
  if turns.active == '' and #turns.steered == 0 and #turns.queue == 0 then
    redis.call('DEL', turns.key)
  else
    redis.call('HSET', turns.key, 'active', turns.active, 'steered', table.concat(turns.steered, ' '), 'queue',
      table.concat(turns.queue, ' '))
  end
end

-- Ends the turn of the run in progress: input that was handed to it goes to the front of the queue.
local function release(turns)
  turns.active = ''
  for i = #turns.steered, 1, -1 do
    table.insert(turns.queue, 1, turns.steered[i])
  end
  turns.steered = {}
end

-- Grants the right to execute a run; returns the token.
local function begin(id, owner)
  redis.call('HSET', run_key(id), 'status', 'in_progress', 'owner', owner)
  return text(redis.call('HINCRBY', run_key(id), 'token', 1))
end

-- Wakes waiting tasks. Without permission to publish, readers look from time to time, so this is never an error.
local function publish(kind, name, message)
  redis.pcall('PUBLISH', ROOT .. kind .. ':' .. name, message)
end

-- Deletes a run with all its data.
local function forget(id)
  local key = run_key(id)
  local known = redis.call('HMGET', key, 'who', 'keys')
  for _, name in ipairs(words(known[2])) do
    redis.call('DEL', BASE .. 'key:' .. name)
  end
  if known[1] then
    redis.call('ZREM', BASE .. 'runs:' .. known[1], id)
  end
  redis.call('SREM', BASE .. 'unfinished', id)
  redis.call('DEL', key, log_key(id))
  publish('run', id, '')
end
