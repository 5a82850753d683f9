-- Rates of scoped handles (DESIGN.md §10): a bucket per project and operation, counted by every process; docs/scopes.md "Rates".

CREATE TABLE sprongus_rates (
    project_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    -- of whoever took last: the bucket is no further from full than that
    per_us INTEGER NOT NULL CHECK (per_us >= 1),
    -- when the bucket will be full again, by the wall and by the monotonic clock of that boot; NULL: it is full
    full_at TEXT,
    full_mono INTEGER,
    full_boot TEXT,
    PRIMARY KEY (project_id, operation)
) STRICT, WITHOUT ROWID;
