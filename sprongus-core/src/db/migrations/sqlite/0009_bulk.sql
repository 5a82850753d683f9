-- Bulk writes: rows that are written before they are seen (DESIGN.md §7 "Bulk and import").

-- A bulk write under way: what its steps wrote is seen when its row here is gone. One at a time in a table.
CREATE TABLE sprongus_aux_batches (
    -- never given twice: entries and versions keep it
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    -- whose it is: who finds another name here has lost it
    owner TEXT NOT NULL,
    -- when it last wrote: microseconds of that boot's monotonic clock
    boot TEXT NOT NULL,
    alive INTEGER NOT NULL,
    UNIQUE (project_id, table_name)
) STRICT;

-- Entries that others wrote meanwhile.
CREATE TABLE sprongus_aux_rivals (
    batch INTEGER NOT NULL,
    entry_id TEXT NOT NULL,
    -- what the batch had done to it, which is undone: nothing, created, updated, deleted it
    undone INTEGER NOT NULL CHECK (undone IN (0, 1, 2, 3)),
    PRIMARY KEY (batch, entry_id)
) STRICT, WITHOUT ROWID;

-- which batch made the entry as it stands
ALTER TABLE sprongus_aux_entries ADD COLUMN batch INTEGER;
-- which batch superseded or deleted the entry that was so
ALTER TABLE sprongus_aux_versions ADD COLUMN batch INTEGER;

-- The entries as they are seen: without what a batch under way made, and with what it superseded or deleted.
CREATE VIEW sprongus_aux_seen (project_id, table_name, id, payload, hash, search_text, version, last_updated, actor, reason, change_summary) AS
SELECT e.project_id, e.table_name, e.id, e.payload, e.hash, e.search_text, e.version, e.last_updated, e.actor, e.reason, e.change_summary
FROM sprongus_aux_entries e
WHERE e.batch IS NULL OR e.batch NOT IN (SELECT b.id FROM sprongus_aux_batches b)
UNION ALL
SELECT v.project_id, v.table_name, v.id, v.snapshot, NULL, NULL, v.version, v.at, v.actor, v.reason, v.change_summary
FROM sprongus_aux_versions v
WHERE v.batch IN (SELECT b.id FROM sprongus_aux_batches b) AND v.snapshot IS NOT NULL;
