-- Providers of syncs, and what both sides had last (DESIGN.md §7 "Sync").

CREATE TABLE sprongus_providers (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    config TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- the run that last synced a table with a provider: while it runs under that lease no other does
CREATE TABLE sprongus_syncs (
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    provider TEXT NOT NULL,
    run_id TEXT NOT NULL,
    lease INTEGER NOT NULL,
    PRIMARY KEY (project_id, table_name, provider)
) STRICT, WITHOUT ROWID;

-- what both sides had when an entry was last synced, as SHA-256: of the provider's document and of the payload. pushing is
-- written before a push and taken away after it: of the payload that is pushed, or empty for a deletion
CREATE TABLE sprongus_sync_entries (
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    provider TEXT NOT NULL,
    id TEXT NOT NULL,
    remote_hash BLOB,
    local_hash BLOB,
    pushing BLOB,
    PRIMARY KEY (project_id, table_name, provider, id)
) STRICT, WITHOUT ROWID;
