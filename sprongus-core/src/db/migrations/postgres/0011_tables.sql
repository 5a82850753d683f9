-- Custom tables: what each was created with (DESIGN.md §8).

CREATE TABLE sprongus_tables (
    -- in lower case: names are unique without regard to case
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    -- another one each time a table of this name is created: what a process remembers of it holds while this is so
    generation TEXT COLLATE "C" NOT NULL,
    definition JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
