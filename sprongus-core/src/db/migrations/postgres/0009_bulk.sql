-- Bulk writes: rows that are written before they are seen (DESIGN.md §7 "Bulk and import").
-- Here a bulk write is one transaction, beside which others write; on SQLite it is many short ones.

CREATE VIEW sprongus_aux_seen AS
SELECT project_id, table_name, id, payload, hash, search_text, version, last_updated, actor, reason, change_summary
FROM sprongus_aux_entries;
