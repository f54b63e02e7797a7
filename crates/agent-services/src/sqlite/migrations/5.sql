-- The steps of runs, for whoever takes a run over. Their sizes are part of those of the runs.
CREATE TABLE run_steps (
    run INTEGER NOT NULL,
    key BLOB NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (run, key)
) STRICT;
