-- The messages of a session become adjacent, so that they are read together and without an index. The place is 2^24 times
-- the session's key, plus the position in the session.

CREATE TABLE placed_messages (
    place INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    -- NULL if the message has none.
    id BLOB,
    json TEXT NOT NULL
) STRICT;

INSERT INTO placed_messages (place, session, id, json)
SELECT session * 16777216 + position, session, id, json FROM messages ORDER BY session, position;

DROP TABLE messages;
ALTER TABLE placed_messages RENAME TO messages;
CREATE INDEX messages_by_id ON messages (session, id) WHERE id IS NOT NULL;

-- The parts of runs that never change. Compressed texts have their size in bytes beside them, and `packing` is the
-- compression method.
CREATE TABLE packed_requests (
    run INTEGER PRIMARY KEY,
    agent BLOB NOT NULL,
    options BLOB NOT NULL,
    packing INTEGER,
    -- JSON.
    request BLOB NOT NULL,
    request_bytes INTEGER,
    -- The first entries of the log, if they were stored with the request, because most logs are stored completely at their
    -- end. `run_batches` does not contain them.
    count INTEGER NOT NULL DEFAULT 0,
    unpacked_bytes INTEGER,
    frames BLOB
) STRICT;

INSERT INTO packed_requests (run, agent, options, request)
SELECT run, agent, options, CAST(json AS BLOB) FROM run_requests;

DROP TABLE run_requests;
ALTER TABLE packed_requests RENAME TO run_requests;

-- NULL if the frames are not compressed, or are plain LZ4 blocks.
ALTER TABLE run_batches ADD COLUMN packing INTEGER;
