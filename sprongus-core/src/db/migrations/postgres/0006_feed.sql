-- Positions of the feed (DESIGN.md §5 "Events"): given after commit, by readers.

CREATE UNIQUE INDEX sprongus_events_position ON sprongus_events (position) WHERE position IS NOT NULL;
CREATE INDEX sprongus_events_new ON sprongus_events (at, id) WHERE position IS NULL;
