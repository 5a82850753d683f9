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

CREATE UNIQUE INDEX sprongus_projects_slug ON sprongus_projects (slug);
CREATE INDEX sprongus_projects_updated ON sprongus_projects (updated_at DESC, id DESC);
CREATE INDEX sprongus_projects_owner ON sprongus_projects (owner, updated_at DESC, id DESC) WHERE owner IS NOT NULL;

-- project_id '' is the store
CREATE TABLE sprongus_config (
    project_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (project_id, key)
) STRICT, WITHOUT ROWID;

-- what a project owns is found without looking at any other's; the events of runs are found by their runs
CREATE INDEX sprongus_bindings_project ON sprongus_bindings (project_id);
CREATE INDEX sprongus_events_project ON sprongus_events (project_id) WHERE run_id IS NULL AND project_id IS NOT NULL;
