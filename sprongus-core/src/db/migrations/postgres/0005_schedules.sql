-- Schedules (DESIGN.md §5).

-- project_id '' is no project
CREATE TABLE sprongus_schedules (
    project_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    cron TEXT,
    every_us BIGINT CHECK (every_us >= 1),
    tz TEXT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    input JSONB NOT NULL,
    overlap TEXT COLLATE "C" NOT NULL CHECK (overlap IN ('skip', 'queue')),
    catch_up_us BIGINT NOT NULL,
    paused BOOLEAN NOT NULL DEFAULT FALSE,
    -- the next slot; NULL while paused
    next_at TIMESTAMPTZ,
    -- where intervals are counted from
    anchor_at TIMESTAMPTZ NOT NULL,
    -- the run of the last slot
    last_run_id TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (project_id, name)
);

CREATE INDEX sprongus_schedules_next ON sprongus_schedules (next_at) WHERE next_at IS NOT NULL;
