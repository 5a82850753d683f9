-- Rates of scoped handles (DESIGN.md §10): a bucket per project and operation, counted by every process; docs/scopes.md "Rates".

CREATE TABLE sprongus_rates (
    project_id TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    -- of whoever took last: the bucket is no further from full than that
    per_us BIGINT NOT NULL CHECK (per_us >= 1),
    -- when the bucket will be full again; NULL: it is full
    full_at TIMESTAMPTZ,
    PRIMARY KEY (project_id, operation)
);
