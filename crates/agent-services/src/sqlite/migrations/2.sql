-- Runs. Their changing columns are separate from the large ones that never change, because each change rewrites the whole
-- row.

ALTER TABLE users ADD COLUMN last_run INTEGER NOT NULL DEFAULT 0;

CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    user INTEGER NOT NULL,
    session BLOB NOT NULL,
    number INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    token INTEGER NOT NULL,
    -- NULL until a process executes the run.
    owner BLOB,
    -- For how many seconds after the run's end its last entry is kept, if longer than logs.
    kept_for INTEGER NOT NULL DEFAULT 0,
    -- The size of the log. The first kept entry of a trimmed log is the last one, and its bytes include the request.
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first_entry INTEGER NOT NULL DEFAULT 0,
    -- Until when a trimmed log is kept, in Unix seconds.
    trimmed_until INTEGER,
    -- The first entry of each epoch after the first, as a JSON array.
    epochs TEXT NOT NULL DEFAULT '[]',
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    attended_until INTEGER NOT NULL DEFAULT 0,
    -- Its role in its session: 0 in progress, 1 handed to the run in progress, 2 queued, NULL if it takes no turns. Runs
    -- with the same role are ordered by place.
    turn INTEGER,
    place INTEGER,
    ending BLOB,
    ended_at INTEGER,
    -- Its position in the order of runs by their end; 0 once it is trimmed.
    end_number INTEGER,
    -- The result of ending it, for repeated calls.
    granted BLOB,
    granted_token INTEGER,
    UNIQUE (user, number)
) STRICT;

CREATE INDEX runs_by_turn ON runs (user, session, turn, place) WHERE turn IS NOT NULL;
CREATE INDEX runs_waiting ON runs (turn) WHERE turn = 2;
CREATE INDEX runs_by_owner ON runs (owner) WHERE owner IS NOT NULL AND end_number IS NULL;
CREATE INDEX runs_ended ON runs (end_number) WHERE end_number > 0;
CREATE INDEX runs_trimmed ON runs (trimmed_until) WHERE trimmed_until IS NOT NULL;

CREATE TABLE run_requests (
    run INTEGER PRIMARY KEY,
    agent BLOB NOT NULL,
    options BLOB NOT NULL,
    json TEXT NOT NULL
) STRICT;

-- The logs, in the batches in which they were appended.
CREATE TABLE run_batches (
    run INTEGER NOT NULL,
    -- The number of the first entry.
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    -- The size of the frames in bytes, if they are compressed as an LZ4 block.
    unpacked_bytes INTEGER,
    frames BLOB NOT NULL,
    UNIQUE (run, first)
) STRICT;

-- Idempotency keys and their runs.
CREATE TABLE run_keys (
    user INTEGER NOT NULL,
    key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_keys_by_run ON run_keys (run);

-- The owners of runs, and until when their leases last. Emptied when the database is opened, because their processes have
-- ended.
CREATE TABLE owners (
    id BLOB NOT NULL UNIQUE,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX owners_by_time ON owners (until);

-- The totals of all ended runs, in one row with the key 1.
CREATE TABLE run_totals (
    key INTEGER PRIMARY KEY,
    last_end INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    trimmed_bytes INTEGER NOT NULL
) STRICT;

INSERT INTO run_totals (key, last_end, bytes, trimmed_bytes) VALUES (1, 0, 0, 0);
