-- Rates of scoped handles (DESIGN.md §10): a bucket per project and operation, counted by every process.

CREATE TABLE sprongus_rates (
    project_id TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    tokens DOUBLE PRECISION NOT NULL,
    filled_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (project_id, operation)
);
