-- Rates of scoped handles (DESIGN.md §10): a bucket per project and operation, counted by every process.

CREATE TABLE sprongus_rates (
    project_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    tokens REAL NOT NULL,
    filled_at TEXT NOT NULL,
    PRIMARY KEY (project_id, operation)
) STRICT, WITHOUT ROWID;
