-- The feed (DESIGN.md §5 "Events"): on SQLite commits stand in a line, and so do the positions of their events.

CREATE INDEX sprongus_events_type ON sprongus_events (type, position);
