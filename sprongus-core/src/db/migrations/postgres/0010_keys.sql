-- Keys in their order (DESIGN.md §7): until a table is analyzed PostgreSQL takes the smaller of two indexes that begin with
-- the project and the table, and would read and sort every key for a page. This one is for an entry's own keys alone.

DROP INDEX sprongus_aux_keys_entry;
CREATE INDEX sprongus_aux_keys_entry ON sprongus_aux_keys (entry_id, project_id, table_name);
