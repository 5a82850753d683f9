-- Runs, events, artifacts, presets and the aux store (DESIGN.md §5 to §9).
-- Times are fixed-width UTC text, so that text order is time order; JSON is canonical text.

CREATE TABLE sprongus_runs (
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT,
    kind TEXT NOT NULL,
    input TEXT NOT NULL,
    output_ref TEXT,
    error TEXT,
    state TEXT NOT NULL CHECK (state IN ('awaiting_approval', 'queued', 'dispatching', 'running', 'succeeded', 'failed', 'denied', 'canceled', 'timed_out')),
    -- queued and due: what claims look at; a run due later is not ready until a claim promotes it
    ready INTEGER NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)),
    approved INTEGER NOT NULL DEFAULT 0 CHECK (approved IN (0, 1)),
    priority INTEGER NOT NULL,
    run_at TEXT NOT NULL,
    idempotency_key TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
    series INTEGER NOT NULL DEFAULT 1,
    lease INTEGER NOT NULL DEFAULT 0,
    timeout_us INTEGER,
    claimed_by TEXT,
    lease_until TEXT,
    -- how long the lease was asked for: a heartbeat extends it by as much
    lease_us INTEGER,
    -- the lease itself: microseconds of this boot's monotonic clock; lease_until is for display
    lease_mono INTEGER,
    lease_boot TEXT,
    -- the verb that ended the present lease: the same one again is answered with the stored outcome
    reported TEXT,
    claimed_at TEXT,
    started_at TEXT,
    finished_at TEXT,
    progress TEXT,
    requested_by TEXT,
    channel_id TEXT,
    conversation_id TEXT,
    parent_id TEXT,
    -- counts transitions; the event of a transition has it as its seq
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE INDEX sprongus_runs_project ON sprongus_runs (project_id, created_at DESC, id DESC);
CREATE INDEX sprongus_runs_state ON sprongus_runs (state, created_at DESC, id DESC);
CREATE INDEX sprongus_runs_kind ON sprongus_runs (kind, created_at DESC, id DESC);
CREATE INDEX sprongus_runs_channel ON sprongus_runs (channel_id, conversation_id) WHERE channel_id IS NOT NULL;
CREATE INDEX sprongus_runs_parent ON sprongus_runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX sprongus_runs_idempotency ON sprongus_runs (coalesce(project_id, ''), idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX sprongus_runs_ready ON sprongus_runs (priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1;
CREATE INDEX sprongus_runs_ready_kind ON sprongus_runs (kind, priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1;
CREATE INDEX sprongus_runs_later ON sprongus_runs (run_at, id) WHERE state = 'queued' AND ready = 0;
CREATE INDEX sprongus_runs_leased ON sprongus_runs (lease_boot, lease_mono) WHERE state IN ('dispatching', 'running');

CREATE TABLE sprongus_events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    run_id TEXT,
    project_id TEXT,
    subject TEXT NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (subject, seq)
) STRICT;

CREATE TABLE sprongus_artifacts (
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT,
    run_id TEXT,
    kind TEXT NOT NULL,
    logical_key TEXT NOT NULL,
    version INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB,
    ref TEXT,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX sprongus_artifacts_version ON sprongus_artifacts (coalesce(project_id, ''), kind, logical_key, version);
CREATE INDEX sprongus_artifacts_run ON sprongus_artifacts (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE sprongus_presets (
    id TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('storyboard', 'assets', 'citations', 'custom', 'run_input')),
    version INTEGER NOT NULL CHECK (version >= 1),
    definition TEXT NOT NULL,
    published_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (label, version)
) STRICT;

-- project_id '' binds for all projects
CREATE TABLE sprongus_bindings (
    target TEXT NOT NULL CHECK (target IN ('table', 'run')),
    name TEXT NOT NULL,
    project_id TEXT NOT NULL,
    preset_id TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (target, name, project_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sprongus_bindings_preset ON sprongus_bindings (preset_id);

CREATE TABLE sprongus_aux_entries (
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    id TEXT NOT NULL,
    payload TEXT NOT NULL,
    hash BLOB NOT NULL,
    search_text TEXT,
    version INTEGER NOT NULL,
    last_updated TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    -- what its present version changed; goes with it to the versions when it is superseded
    change_summary TEXT NOT NULL DEFAULT 'created',
    PRIMARY KEY (project_id, table_name, id)
) STRICT;

CREATE INDEX sprongus_aux_entries_updated ON sprongus_aux_entries (project_id, table_name, last_updated DESC, id);

-- what was superseded: a created entry needs no second row; snapshot NULL is a deletion
CREATE TABLE sprongus_aux_versions (
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    snapshot TEXT,
    change_summary TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    at TEXT NOT NULL,
    PRIMARY KEY (project_id, table_name, id, version)
) STRICT;

CREATE TABLE sprongus_aux_refs (
    project_id TEXT NOT NULL,
    from_table TEXT NOT NULL,
    from_id TEXT NOT NULL,
    field TEXT NOT NULL,
    to_table TEXT NOT NULL,
    to_id TEXT NOT NULL,
    PRIMARY KEY (project_id, from_table, from_id, field, to_table, to_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sprongus_aux_refs_to ON sprongus_aux_refs (project_id, to_table, to_id);

CREATE TABLE sprongus_aux_keys (
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    field TEXT NOT NULL,
    key BLOB NOT NULL,
    entry_id TEXT NOT NULL,
    is_unique INTEGER NOT NULL CHECK (is_unique IN (0, 1)),
    PRIMARY KEY (project_id, table_name, field, key, entry_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX sprongus_aux_keys_unique ON sprongus_aux_keys (project_id, table_name, field, key) WHERE is_unique = 1;
CREATE INDEX sprongus_aux_keys_entry ON sprongus_aux_keys (project_id, table_name, entry_id);
