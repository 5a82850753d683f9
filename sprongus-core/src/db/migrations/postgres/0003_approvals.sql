-- Approvals, steps and the inbox (DESIGN.md §5).

-- the approval that the run waits for
ALTER TABLE sprongus_runs ADD COLUMN awaiting TEXT COLLATE "C";

CREATE TABLE sprongus_approvals (
    -- of the gate: the id of its run
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project_id TEXT COLLATE "C",
    run_id TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    -- '' where no step was named
    step TEXT COLLATE "C" NOT NULL,
    intent_summary TEXT,
    decision TEXT COLLATE "C" CHECK (decision IN ('approved', 'denied')),
    decided_by TEXT,
    decided_at TIMESTAMPTZ,
    note TEXT,
    metadata JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (run_id, scope, step)
);

CREATE INDEX sprongus_approvals_created ON sprongus_approvals (created_at DESC, id DESC);
CREATE INDEX sprongus_approvals_project ON sprongus_approvals (project_id, created_at DESC, id DESC);
CREATE INDEX sprongus_approvals_scope ON sprongus_approvals (scope, created_at DESC, id DESC) WHERE scope <> 'run';
CREATE INDEX sprongus_approvals_decided ON sprongus_approvals (decision, created_at DESC, id DESC) WHERE decision IS NOT NULL;
CREATE INDEX sprongus_approvals_pending ON sprongus_approvals (created_at DESC, id DESC) WHERE decision IS NULL;
CREATE INDEX sprongus_approvals_pending_project ON sprongus_approvals (project_id, created_at DESC, id DESC) WHERE decision IS NULL;

CREATE TABLE sprongus_run_steps (
    -- rises in the order in which they were stored
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    output JSONB NOT NULL,
    attempt BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    UNIQUE (run_id, name)
);

-- project_id '' is no project
CREATE TABLE sprongus_inbox (
    project_id TEXT COLLATE "C" NOT NULL,
    channel_id TEXT COLLATE "C" NOT NULL,
    message_id TEXT COLLATE "C" NOT NULL,
    -- of the call that was the first: it knows itself where the answer to its commit was lost
    id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C",
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (project_id, channel_id, message_id)
);
