-- Since when a lease has been held without a gap, and how long it was when it was renewed last; in seconds.
ALTER TABLE owners ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owners ADD COLUMN length INTEGER NOT NULL DEFAULT 0;

-- Until when nobody takes a run from an owner that took it over, in Unix seconds.
ALTER TABLE runs ADD COLUMN taken_until INTEGER NOT NULL DEFAULT 0;
