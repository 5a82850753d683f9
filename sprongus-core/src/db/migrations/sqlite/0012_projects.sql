-- Projects, and small settings (DESIGN.md §9a).

CREATE TABLE sprongus_projects (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE INDEX sprongus_projects_owner ON sprongus_projects (owner, updated_at);

-- project_id '' is the store
CREATE TABLE sprongus_config (
    project_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (project_id, key)
) STRICT, WITHOUT ROWID;
