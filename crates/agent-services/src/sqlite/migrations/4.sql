-- Users belong to a tenant, of which there is one so far. All that is a user's has the user's key, so nothing else names a
-- tenant. Runs are found by their ids, which nobody can guess; owners are processes, which serve every tenant; and the
-- totals of ended runs are those of the whole store, as its retention is.

CREATE TABLE tenant_users (
    key INTEGER PRIMARY KEY,
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    last_session INTEGER NOT NULL DEFAULT 0,
    last_memory INTEGER NOT NULL DEFAULT 0,
    last_run INTEGER NOT NULL DEFAULT 0,
    -- Of the user's memories: how many have a word, and how many words they have together.
    texts INTEGER NOT NULL DEFAULT 0,
    words INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, id)
) STRICT;

INSERT INTO tenant_users (key, tenant, id, last_session, last_memory, last_run, texts, words)
SELECT key, CAST('default' AS BLOB), id, last_session, last_memory, last_run, texts, words FROM users ORDER BY key;

DROP TABLE users;
ALTER TABLE tenant_users RENAME TO users;

-- Sessions that no request has named, in the order in which they were last written, and how many bytes they have.

ALTER TABLE sessions ADD COLUMN anonymous INTEGER NOT NULL DEFAULT 0;

CREATE INDEX sessions_anonymous ON sessions (updated_at) WHERE anonymous = 1;

-- In one row with the key 1: the bytes of anonymous sessions; and the last numbers that users had who are forgotten, so that
-- whoever comes after them does not get the same.
CREATE TABLE session_totals (
    key INTEGER PRIMARY KEY,
    anonymous_bytes INTEGER NOT NULL,
    last_session INTEGER NOT NULL,
    last_memory INTEGER NOT NULL,
    last_run INTEGER NOT NULL
) STRICT;

INSERT INTO session_totals (key, anonymous_bytes, last_session, last_memory, last_run) VALUES (1, 0, 0, 0, 0);

-- Since when a lease has been held without a gap, and how long it was when it was renewed last; in seconds.
ALTER TABLE owners ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owners ADD COLUMN length INTEGER NOT NULL DEFAULT 0;

-- Until when nobody takes a run from an owner that took it over, in Unix seconds.
ALTER TABLE runs ADD COLUMN taken_until INTEGER NOT NULL DEFAULT 0;
