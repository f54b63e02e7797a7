-- Messages where their session has them, so that whoever reads a session reads what lies together, and no index is needed
-- for that. The place is 2^24 times the session's key, and the position in it.

CREATE TABLE placed_messages (
    place INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    -- NULL if it has none.
    id BLOB,
    json TEXT NOT NULL
) STRICT;

INSERT INTO placed_messages (place, session, id, json)
SELECT session * 16777216 + position, session, id, json FROM messages ORDER BY session, position;

DROP TABLE messages;
ALTER TABLE placed_messages RENAME TO messages;
CREATE INDEX messages_by_id ON messages (session, id) WHERE id IS NOT NULL;

-- The first entries of a log, if they were stored with the request: most logs are stored whole, at their end. Then there are
-- none of them in `run_batches`.
ALTER TABLE run_requests ADD COLUMN count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_requests ADD COLUMN unpacked_bytes INTEGER;
ALTER TABLE run_requests ADD COLUMN frames BLOB;
