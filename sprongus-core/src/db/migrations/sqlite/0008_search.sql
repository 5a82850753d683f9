-- Searching: a pre-filter of terms, filled behind the writers (DESIGN.md §7 "q"). The full-text table itself is made by the
-- first search: a host's own SQLite may lack what it needs.

-- tables that have one
CREATE TABLE sprongus_search_tables (
    number INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    -- of the fields whose texts are folded in
    fingerprint TEXT NOT NULL,
    -- the entries up to this id are folded in, or marked; NULL: all of them
    filled_to TEXT,
    -- the texts up to this id were looked over for entries that are gone
    swept_to TEXT NOT NULL DEFAULT '',
    UNIQUE (project_id, table_name)
) STRICT;

-- entries that are still to be folded in: those of that time, after that id
CREATE TABLE sprongus_search_marks (
    number INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    at TEXT NOT NULL,
    after_id TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX sprongus_search_marks_table ON sprongus_search_marks (project_id, table_name, number);

-- which entry a row of the full-text table is of
CREATE TABLE sprongus_search_texts (
    number INTEGER PRIMARY KEY,
    table_number INTEGER NOT NULL,
    entry_id TEXT NOT NULL,
    UNIQUE (table_number, entry_id)
) STRICT;
