-- Ids may hold any bytes, NUL too, so they are BLOBs, which compare byte by byte. JSON is kept as the text that it was.
-- Tables with large rows have rowids: without, a row of more than a quarter of a page would need a page of its own.

-- A user stays when all that is known of them is deleted, so that no number comes twice.
CREATE TABLE users (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    last_session INTEGER NOT NULL DEFAULT 0,
    last_memory INTEGER NOT NULL DEFAULT 0,
    -- Of the user's memories: how many have a word, and how many words they have together.
    texts INTEGER NOT NULL DEFAULT 0,
    words INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    user INTEGER NOT NULL,
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    title BLOB,
    metadata TEXT NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (user, id),
    UNIQUE (user, number)
) STRICT;

CREATE TABLE messages (
    session INTEGER NOT NULL,
    position INTEGER NOT NULL,
    -- NULL if it has none.
    id BLOB,
    json TEXT NOT NULL,
    UNIQUE (session, position)
) STRICT;

CREATE INDEX messages_by_id ON messages (session, id) WHERE id IS NOT NULL;

CREATE TABLE batches (
    session INTEGER NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE states (
    user INTEGER NOT NULL,
    session BLOB NOT NULL,
    -- 2^63 less than the round, as rounds have 64 bits and no sign.
    round INTEGER NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (user, session, round)
) STRICT;

CREATE TABLE memories (
    user INTEGER NOT NULL,
    number INTEGER NOT NULL,
    session BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    -- How many words it has.
    length INTEGER NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (user, number)
) STRICT;

CREATE INDEX memories_by_session ON memories (user, session, number, created_at);
CREATE INDEX memories_by_time ON memories (user, created_at, number);

-- Which memories have a word: many in a row, as a row each would take ten times as long to read.
CREATE TABLE postings (
    user INTEGER NOT NULL,
    word TEXT NOT NULL,
    -- No entry has a smaller number.
    first INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (user, word, first)
) STRICT, WITHOUT ROWID;
