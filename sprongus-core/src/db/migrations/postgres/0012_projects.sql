-- Projects, and small settings (DESIGN.md §9a).

CREATE TABLE sprongus_projects (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX sprongus_projects_slug ON sprongus_projects (slug);
CREATE INDEX sprongus_projects_updated ON sprongus_projects (updated_at DESC, id DESC);
CREATE INDEX sprongus_projects_owner ON sprongus_projects (owner, updated_at DESC, id DESC) WHERE owner IS NOT NULL;

-- project_id '' is the store
CREATE TABLE sprongus_config (
    project_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (project_id, key)
);

-- what a project owns is found without looking at any other's; the events of runs are found by their runs
CREATE INDEX sprongus_bindings_project ON sprongus_bindings (project_id);
CREATE INDEX sprongus_events_project ON sprongus_events (project_id) WHERE run_id IS NULL AND project_id IS NOT NULL;
