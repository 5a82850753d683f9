-- Runs, events, artifacts, presets and the aux store (DESIGN.md §5 to §9).
-- Text that is ever ordered is COLLATE "C": code-point order, as in Rust and on SQLite.

CREATE TABLE sprongus_runs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project_id TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL,
    input JSONB NOT NULL,
    output_ref TEXT,
    error TEXT,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('awaiting_approval', 'queued', 'dispatching', 'running', 'succeeded', 'failed', 'denied', 'canceled', 'timed_out')),
    -- queued and due: what claims look at; a run due later is not ready until a claim promotes it
    ready BOOLEAN NOT NULL DEFAULT FALSE,
    approved BOOLEAN NOT NULL DEFAULT FALSE,
    priority BIGINT NOT NULL,
    run_at TIMESTAMPTZ NOT NULL,
    idempotency_key TEXT COLLATE "C",
    attempt BIGINT NOT NULL DEFAULT 0,
    max_attempts BIGINT NOT NULL CHECK (max_attempts >= 1),
    series BIGINT NOT NULL DEFAULT 1,
    lease BIGINT NOT NULL DEFAULT 0,
    timeout_us BIGINT,
    claimed_by TEXT,
    lease_until TIMESTAMPTZ,
    -- how long the lease was asked for: a heartbeat extends it by as much
    lease_us BIGINT,
    -- the verb that ended the present lease: the same one again is answered with the stored outcome
    reported TEXT,
    claimed_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    progress JSONB,
    requested_by TEXT,
    channel_id TEXT COLLATE "C",
    conversation_id TEXT COLLATE "C",
    parent_id TEXT COLLATE "C",
    -- counts transitions; the event of a transition has it as its seq
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX sprongus_runs_project ON sprongus_runs (project_id, created_at DESC, id DESC);
CREATE INDEX sprongus_runs_state ON sprongus_runs (state, created_at DESC, id DESC);
CREATE INDEX sprongus_runs_kind ON sprongus_runs (kind, created_at DESC, id DESC);
CREATE INDEX sprongus_runs_channel ON sprongus_runs (channel_id, conversation_id) WHERE channel_id IS NOT NULL;
CREATE INDEX sprongus_runs_parent ON sprongus_runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX sprongus_runs_idempotency ON sprongus_runs (coalesce(project_id, ''), idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX sprongus_runs_ready ON sprongus_runs (priority DESC, run_at, id) WHERE state = 'queued' AND ready;
CREATE INDEX sprongus_runs_ready_kind ON sprongus_runs (kind, priority DESC, run_at, id) WHERE state = 'queued' AND ready;
CREATE INDEX sprongus_runs_later ON sprongus_runs (run_at, id) WHERE state = 'queued' AND NOT ready;
CREATE INDEX sprongus_runs_leased ON sprongus_runs (lease_until) WHERE state IN ('dispatching', 'running');

CREATE TABLE sprongus_events (
    -- given after commit, by the reader of the feed: commits overtake one another
    position BIGINT,
    id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C",
    project_id TEXT COLLATE "C",
    subject TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    type TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT NOT NULL,
    payload JSONB NOT NULL,
    PRIMARY KEY (subject, seq)
);

CREATE TABLE sprongus_artifacts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project_id TEXT COLLATE "C",
    run_id TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL,
    logical_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    content BYTEA,
    ref TEXT,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    metadata JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX sprongus_artifacts_version ON sprongus_artifacts (coalesce(project_id, ''), kind, logical_key, version);
CREATE INDEX sprongus_artifacts_run ON sprongus_artifacts (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE sprongus_presets (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    label TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('storyboard', 'assets', 'citations', 'custom', 'run_input')),
    version BIGINT NOT NULL CHECK (version >= 1),
    definition JSONB NOT NULL,
    published_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (label, version)
);

-- project_id '' binds for all projects
CREATE TABLE sprongus_bindings (
    target TEXT COLLATE "C" NOT NULL CHECK (target IN ('table', 'run')),
    name TEXT COLLATE "C" NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL,
    preset_id TEXT COLLATE "C" NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (target, name, project_id)
);

CREATE INDEX sprongus_bindings_preset ON sprongus_bindings (preset_id);

CREATE TABLE sprongus_aux_entries (
    project_id TEXT COLLATE "C" NOT NULL,
    table_name TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    payload JSONB NOT NULL,
    hash BYTEA NOT NULL,
    search_text TEXT COLLATE "C",
    version BIGINT NOT NULL,
    last_updated TIMESTAMPTZ NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    -- what its present version changed; goes with it to the versions when it is superseded
    change_summary TEXT NOT NULL DEFAULT 'created'
);

CREATE INDEX sprongus_aux_entries_updated ON sprongus_aux_entries (project_id, table_name, last_updated DESC, id);
-- Made last, for until a table is analyzed both cost the same to the planner, and of two such indexes it takes the younger.
ALTER TABLE sprongus_aux_entries ADD PRIMARY KEY (project_id, table_name, id);

-- what was superseded: a created entry needs no second row; snapshot NULL is a deletion
CREATE TABLE sprongus_aux_versions (
    project_id TEXT COLLATE "C" NOT NULL,
    table_name TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    snapshot JSONB,
    change_summary TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (project_id, table_name, id, version)
);

CREATE TABLE sprongus_aux_refs (
    project_id TEXT COLLATE "C" NOT NULL,
    from_table TEXT COLLATE "C" NOT NULL,
    from_id TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    to_table TEXT COLLATE "C" NOT NULL,
    to_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (project_id, from_table, from_id, field, to_table, to_id)
);

CREATE INDEX sprongus_aux_refs_to ON sprongus_aux_refs (project_id, to_table, to_id);

CREATE TABLE sprongus_aux_keys (
    project_id TEXT COLLATE "C" NOT NULL,
    table_name TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    key BYTEA NOT NULL,
    entry_id TEXT COLLATE "C" NOT NULL,
    is_unique BOOLEAN NOT NULL,
    PRIMARY KEY (project_id, table_name, field, key, entry_id)
);

CREATE UNIQUE INDEX sprongus_aux_keys_unique ON sprongus_aux_keys (project_id, table_name, field, key) WHERE is_unique;
CREATE INDEX sprongus_aux_keys_entry ON sprongus_aux_keys (project_id, table_name, entry_id);
