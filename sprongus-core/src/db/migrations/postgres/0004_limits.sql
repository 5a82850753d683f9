-- Limits of kinds (DESIGN.md §5 "Concurrency limit and rate limit").

CREATE TABLE sprongus_kind_limits (
    kind TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    concurrency BIGINT CHECK (concurrency >= 1),
    rate BIGINT CHECK (rate >= 1),
    per_us BIGINT NOT NULL CHECK (per_us >= 1)
);
