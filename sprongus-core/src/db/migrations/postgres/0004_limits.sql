-- Limits of kinds (DESIGN.md §5 "Concurrency limit and rate limit"); docs/decisions/0010-limited-runs-stand-in-a-lane-of-their-own.md.

-- both limits NULL: lifted; the row stays, so that runs left in the wrong lane are found
CREATE TABLE sprongus_kind_limits (
    kind TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    concurrency BIGINT CHECK (concurrency >= 1),
    rate BIGINT CHECK (rate >= 1),
    per_us BIGINT NOT NULL CHECK (per_us >= 1),
    -- when the bucket will be full again; NULL: it is full
    full_at TIMESTAMPTZ,
    -- rises with each claim under the limit, so that a host's transaction with an older snapshot cannot claim by it
    turn BIGINT NOT NULL DEFAULT 0
);

-- queued in the lane of limited kinds, which claims read for kinds with room only; of no meaning in other states
ALTER TABLE sprongus_runs ADD COLUMN limited BOOLEAN NOT NULL DEFAULT FALSE;

DROP INDEX sprongus_runs_ready;
DROP INDEX sprongus_runs_ready_kind;
CREATE INDEX sprongus_runs_ready ON sprongus_runs (priority DESC, run_at, id) WHERE state = 'queued' AND ready AND NOT limited;
CREATE INDEX sprongus_runs_ready_kind ON sprongus_runs (kind, priority DESC, run_at, id) WHERE state = 'queued' AND ready AND NOT limited;
CREATE INDEX sprongus_runs_ready_limited ON sprongus_runs (kind, priority DESC, run_at, id) WHERE state = 'queued' AND ready AND limited;
-- for claims by project: its name and the kind's, which hold no control characters, as one key
CREATE INDEX sprongus_runs_ready_project ON sprongus_runs ((project_id || E'\x01' || kind), priority DESC, run_at, id) WHERE state = 'queued' AND ready AND NOT limited AND project_id IS NOT NULL;
CREATE INDEX sprongus_runs_ready_project_limited ON sprongus_runs ((project_id || E'\x01' || kind), priority DESC, run_at, id) WHERE state = 'queued' AND ready AND limited AND project_id IS NOT NULL;
CREATE INDEX sprongus_runs_leased_kind ON sprongus_runs (kind) WHERE state IN ('dispatching', 'running');
