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
