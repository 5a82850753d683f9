-- Searching: a pre-filter of terms, filled behind the writers (DESIGN.md §7 "q"). The index of trigrams is made by the first
-- search where pg_trgm is installed.

-- tables that have one
CREATE TABLE sprongus_search_tables (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id TEXT COLLATE "C" NOT NULL,
    table_name TEXT COLLATE "C" NOT NULL,
    -- of the fields whose texts are folded in
    fingerprint TEXT COLLATE "C" NOT NULL,
    -- the entries up to this id are folded in, or marked; NULL: all of them
    filled_to TEXT COLLATE "C",
    -- the texts up to this id were looked over for entries that are gone
    swept_to TEXT COLLATE "C" NOT NULL DEFAULT '',
    UNIQUE (project_id, table_name)
);

-- entries that are still to be folded in: those of that time, after that id
CREATE TABLE sprongus_search_marks (
    project_id TEXT COLLATE "C" NOT NULL,
    table_name TEXT COLLATE "C" NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMPTZ NOT NULL,
    after_id TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (project_id, table_name, number)
);

-- beside the entries, so that writing those keeps no index of trigrams
CREATE TABLE sprongus_search_texts (
    table_number BIGINT NOT NULL,
    entry_id TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (table_number, entry_id)
);
