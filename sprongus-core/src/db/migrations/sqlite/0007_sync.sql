-- Providers of syncs, and what both sides had last (DESIGN.md §7 "Sync").

CREATE TABLE sprongus_providers (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    config TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
