-- Keys in their order (DESIGN.md §7): as on PostgreSQL, the index of an entry's own keys is for nothing else.

DROP INDEX sprongus_aux_keys_entry;
CREATE INDEX sprongus_aux_keys_entry ON sprongus_aux_keys (entry_id, project_id, table_name);
