-- Limits of kinds (DESIGN.md §5 "Concurrency limit and rate limit").

CREATE TABLE sprongus_kind_limits (
    kind TEXT NOT NULL PRIMARY KEY,
    concurrency INTEGER CHECK (concurrency >= 1),
    rate INTEGER CHECK (rate >= 1),
    per_us INTEGER NOT NULL CHECK (per_us >= 1)
) STRICT;
