-- Runs: what changes of them, apart from what is large and stays, as a change writes the whole row anew.

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
    -- NULL while nobody has executed it.
    owner BLOB,
    -- For how many seconds after its end the last entry is kept, if that is longer than logs are.
    kept_for INTEGER NOT NULL DEFAULT 0,
    -- Of its log. Of one that is trimmed, the first entry that is kept is the last, and the bytes have the request's, too.
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first_entry INTEGER NOT NULL DEFAULT 0,
    -- Until when what is left of a trimmed log is kept, in Unix seconds.
    trimmed_until INTEGER,
    -- The first entry of each epoch after the first, as a JSON array.
    epochs TEXT NOT NULL DEFAULT '[]',
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    attended_until INTEGER NOT NULL DEFAULT 0,
    -- What it is in its session: 0 the one in progress, 1 handed to that one, 2 waiting; NULL if it has no part in the
    -- order. Those with the same one are in the order of their places.
    turn INTEGER,
    place INTEGER,
    ending BLOB,
    ended_at INTEGER,
    -- Its place in the order in which runs ended; 0 once it is trimmed.
    end_number INTEGER,
    -- What its end answered, for a repetition.
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

-- The logs, in the pieces in which they were appended.
CREATE TABLE run_batches (
    run INTEGER NOT NULL,
    -- The number of its first entry.
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    -- How many bytes the frames have, where they are compressed as a block of LZ4.
    unpacked_bytes INTEGER,
    frames BLOB NOT NULL,
    UNIQUE (run, first)
) STRICT;

-- Idempotency keys, and where they lead to.
CREATE TABLE run_keys (
    user INTEGER NOT NULL,
    key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_keys_by_run ON run_keys (run);

-- Who executes runs, and until when they are believed to live. Emptied when the database is opened: whoever they were,
-- their process has ended.
CREATE TABLE owners (
    id BLOB NOT NULL UNIQUE,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX owners_by_time ON owners (until);

-- Of all runs that have ended, in one row with the key 1.
CREATE TABLE run_totals (
    key INTEGER PRIMARY KEY,
    last_end INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    trimmed_bytes INTEGER NOT NULL
) STRICT;

INSERT INTO run_totals (key, last_end, bytes, trimmed_bytes) VALUES (1, 0, 0, 0);
