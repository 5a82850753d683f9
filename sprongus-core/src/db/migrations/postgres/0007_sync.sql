-- Providers of syncs, and what both sides had last (DESIGN.md §7 "Sync").

CREATE TABLE sprongus_providers (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    config JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- the run that last synced a table with a provider: while it runs under that lease no other does
CREATE TABLE sprongus_syncs (
    project_id TEXT COLLATE "C" NOT NULL,
    table_name TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    lease BIGINT NOT NULL,
    PRIMARY KEY (project_id, table_name, provider)
);

-- what both sides had when an entry was last synced, as SHA-256: of the provider's document and of the payload. pushing is
-- written before a push and taken away after it: of the payload that is pushed, or empty for a deletion
CREATE TABLE sprongus_sync_entries (
    project_id TEXT COLLATE "C" NOT NULL,
    table_name TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    remote_hash BYTEA,
    local_hash BYTEA,
    pushing BYTEA,
    PRIMARY KEY (project_id, table_name, provider, id)
);
