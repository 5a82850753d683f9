-- Custom tables: what each was created with (DESIGN.md §8).

CREATE TABLE sprongus_tables (
    -- in lower case: names are unique without regard to case
    key TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- another one each time a table of this name is created: what a process remembers of it holds while this is so
    generation TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
