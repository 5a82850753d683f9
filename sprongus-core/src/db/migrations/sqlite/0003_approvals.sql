-- Approvals, steps and the inbox (DESIGN.md §5).

-- the approval that the run waits for
ALTER TABLE sprongus_runs ADD COLUMN awaiting TEXT;

CREATE TABLE sprongus_approvals (
    -- of the gate: the id of its run
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT,
    run_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    -- '' where no step was named
    step TEXT NOT NULL,
    intent_summary TEXT,
    decision TEXT CHECK (decision IN ('approved', 'denied')),
    decided_by TEXT,
    decided_at TEXT,
    note TEXT,
    metadata TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (run_id, scope, step)
) STRICT;

CREATE INDEX sprongus_approvals_created ON sprongus_approvals (created_at DESC, id DESC);
CREATE INDEX sprongus_approvals_project ON sprongus_approvals (project_id, created_at DESC, id DESC);
CREATE INDEX sprongus_approvals_scope ON sprongus_approvals (scope, created_at DESC, id DESC) WHERE scope <> 'run';
CREATE INDEX sprongus_approvals_decided ON sprongus_approvals (decision, created_at DESC, id DESC) WHERE decision IS NOT NULL;
CREATE INDEX sprongus_approvals_pending ON sprongus_approvals (created_at DESC, id DESC) WHERE decision IS NULL;
CREATE INDEX sprongus_approvals_pending_project ON sprongus_approvals (project_id, created_at DESC, id DESC) WHERE decision IS NULL;

CREATE TABLE sprongus_run_steps (
    -- rises in the order in which they were stored
    number INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    output TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (run_id, name)
) STRICT;

-- project_id '' is no project
CREATE TABLE sprongus_inbox (
    project_id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    -- of the call that was the first: it knows itself where the answer to its commit was lost
    id TEXT NOT NULL,
    run_id TEXT,
    at TEXT NOT NULL,
    PRIMARY KEY (project_id, channel_id, message_id)
) STRICT;
