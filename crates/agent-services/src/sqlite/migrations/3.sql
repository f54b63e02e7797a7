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

-- What stays of a run as it is. Texts that are packed have their number of bytes beside them, and the packing says how they
-- were packed.
CREATE TABLE packed_requests (
    run INTEGER PRIMARY KEY,
    agent BLOB NOT NULL,
    options BLOB NOT NULL,
    packing INTEGER,
    -- JSON.
    request BLOB NOT NULL,
    request_bytes INTEGER,
    -- The first entries of the log, if they were stored with the request: most logs are stored whole, at their end. There
    -- are none of them in `run_batches`.
    count INTEGER NOT NULL DEFAULT 0,
    unpacked_bytes INTEGER,
    frames BLOB
) STRICT;

INSERT INTO packed_requests (run, agent, options, request)
SELECT run, agent, options, CAST(json AS BLOB) FROM run_requests;

DROP TABLE run_requests;
ALTER TABLE packed_requests RENAME TO run_requests;

-- NULL where frames have no number of bytes, or are plain blocks of LZ4.
ALTER TABLE run_batches ADD COLUMN packing INTEGER;
