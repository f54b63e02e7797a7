-- Ids may contain any bytes, including NUL, so they are BLOBs, which are compared byte by byte. JSON is stored as text,
-- unchanged. Tables with large rows have rowids: without them, a row larger than a quarter of a page would need a page of
-- its own.

-- A user remains when all of their data is deleted, so that no number is reused.
CREATE TABLE users (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    last_session INTEGER NOT NULL DEFAULT 0,
    last_memory INTEGER NOT NULL DEFAULT 0,
    -- The number of the user's memories that contain words, and the total number of their words.
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
    -- NULL if the message has none.
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
    -- The round minus 2^63, because rounds are unsigned 64-bit numbers.
    round INTEGER NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (user, session, round)
) STRICT;

CREATE TABLE memories (
    user INTEGER NOT NULL,
    number INTEGER NOT NULL,
    session BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    -- The number of words.
    length INTEGER NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (user, number)
) STRICT;

CREATE INDEX memories_by_session ON memories (user, session, number, created_at);
CREATE INDEX memories_by_time ON memories (user, created_at, number);

-- The memories that contain a word: many per row, because one row for each would take ten times as long to read.
CREATE TABLE postings (
    user INTEGER NOT NULL,
    word TEXT NOT NULL,
    -- The smallest number of an entry, or less.
    first INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (user, word, first)
) STRICT, WITHOUT ROWID;
