-- Users belong to a tenant, of which there is one so far. All data of a user has the user's key, so no other table has a
-- tenant. Runs are found by their ids, which nobody can guess. Owners are processes, which serve all tenants. The totals
-- of ended runs are those of the whole store, like its retention.

CREATE TABLE tenant_users (
    key INTEGER PRIMARY KEY,
    tenant BLOB NOT NULL,
    id BLOB NOT NULL,
    last_session INTEGER NOT NULL DEFAULT 0,
    last_memory INTEGER NOT NULL DEFAULT 0,
    last_run INTEGER NOT NULL DEFAULT 0,
    -- The number of the user's memories that contain words, and the total number of their words.
    texts INTEGER NOT NULL DEFAULT 0,
    words INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, id)
) STRICT;

INSERT INTO tenant_users (key, tenant, id, last_session, last_memory, last_run, texts, words)
SELECT key, CAST('default' AS BLOB), id, last_session, last_memory, last_run, texts, words FROM users ORDER BY key;

DROP TABLE users;
ALTER TABLE tenant_users RENAME TO users;

-- Anonymous sessions, which no request has named, by the time of their last change, and their total size in bytes.

ALTER TABLE sessions ADD COLUMN anonymous INTEGER NOT NULL DEFAULT 0;

CREATE INDEX sessions_anonymous ON sessions (updated_at) WHERE anonymous = 1;

-- One row with the key 1: the size of anonymous sessions in bytes, and the last numbers of deleted users, so that later
-- users do not reuse them.
CREATE TABLE session_totals (
    key INTEGER PRIMARY KEY,
    anonymous_bytes INTEGER NOT NULL,
    last_session INTEGER NOT NULL,
    last_memory INTEGER NOT NULL,
    last_run INTEGER NOT NULL
) STRICT;

INSERT INTO session_totals (key, anonymous_bytes, last_session, last_memory, last_run) VALUES (1, 0, 0, 0, 0);

-- Since when a lease has been held without a gap, and its length at the last renewal, in seconds.
ALTER TABLE owners ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owners ADD COLUMN length INTEGER NOT NULL DEFAULT 0;

-- Until when a run cannot be taken from an owner that took it over, in Unix seconds.
ALTER TABLE runs ADD COLUMN taken_until INTEGER NOT NULL DEFAULT 0;
