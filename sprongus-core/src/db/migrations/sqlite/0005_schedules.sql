-- Schedules (DESIGN.md §5).

-- project_id '' is no project
CREATE TABLE sprongus_schedules (
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    cron TEXT,
    every_us INTEGER CHECK (every_us >= 1),
    tz TEXT NOT NULL,
    kind TEXT NOT NULL,
    input TEXT NOT NULL,
    overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'queue')),
    catch_up_us INTEGER NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    -- the next slot; NULL while paused
    next_at TEXT,
    -- where intervals are counted from
    anchor_at TEXT NOT NULL,
    -- the run of the last slot
    last_run_id TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
) STRICT;

CREATE INDEX sprongus_schedules_next ON sprongus_schedules (next_at) WHERE next_at IS NOT NULL;
