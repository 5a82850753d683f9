-- Limits of kinds (DESIGN.md §5 "Concurrency limit and rate limit"); docs/decisions/0010-limited-runs-stand-in-a-lane-of-their-own.md.

-- both limits NULL: lifted; the row stays, so that runs left in the wrong lane are found
CREATE TABLE sprongus_kind_limits (
    kind TEXT NOT NULL PRIMARY KEY,
    concurrency INTEGER CHECK (concurrency >= 1),
    rate INTEGER CHECK (rate >= 1),
    per_us INTEGER NOT NULL CHECK (per_us >= 1),
    -- when the bucket will be full again; NULL: it is full
    full_at TEXT,
    -- the same in microseconds of a boot's monotonic clock, which decides while that boot lasts
    full_mono INTEGER,
    full_boot TEXT
) STRICT;

-- queued in the lane of limited kinds, which claims read for kinds with room only; of no meaning in other states
ALTER TABLE sprongus_runs ADD COLUMN limited INTEGER NOT NULL DEFAULT 0 CHECK (limited IN (0, 1));

DROP INDEX sprongus_runs_ready;
DROP INDEX sprongus_runs_ready_kind;
CREATE INDEX sprongus_runs_ready ON sprongus_runs (priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1 AND limited = 0;
CREATE INDEX sprongus_runs_ready_kind ON sprongus_runs (kind, priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1 AND limited = 0;
CREATE INDEX sprongus_runs_ready_limited ON sprongus_runs (kind, priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1 AND limited = 1;
-- for claims by project: its name and the kind's, which hold no control characters, as one key
CREATE INDEX sprongus_runs_ready_project ON sprongus_runs ((project_id || char(1) || kind), priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1 AND limited = 0 AND project_id IS NOT NULL;
CREATE INDEX sprongus_runs_ready_project_limited ON sprongus_runs ((project_id || char(1) || kind), priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1 AND limited = 1 AND project_id IS NOT NULL;
CREATE INDEX sprongus_runs_leased_kind ON sprongus_runs (kind) WHERE state IN ('dispatching', 'running');
