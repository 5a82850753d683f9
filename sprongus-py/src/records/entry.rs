//! `Entry` and `BulkReport`.

super::record! {
    /// A document of a table.
    Entry(it: sprongus::aux_store::Entry) {
        /// Its id, unique in its table of its project.
        id = it.id;
        /// The project it belongs to.
        project_id = it.project_id;
        /// The table it stands in.
        table_name = it.table_name;
        /// The document.
        payload = it.payload;
        /// 1 and up; goes on across a deletion and re-creation of the id.
        version = it.version;
        /// When it was last written: the database's clock.
        last_updated = it.last_updated;
        /// What is accepted but worth a look: dangling references. Empty where entries are only read.
        warnings = it.warnings;
    }
}

super::record! {
    /// What became of many rows.
    BulkReport(it: sprongus::aux_store::BulkReport) {
        /// Entries that were not there before.
        created = it.created;
        /// Entries with a new version.
        updated = it.updated;
        /// Entries that were given as they are.
        unchanged = it.unchanged;
        /// Entries that the file did not hold (import with mode "replace").
        deleted = it.deleted;
        /// Every violation of every bad row: row (1-based, header not counted), id, path, keyword, message.
        errors = it.errors;
        /// The same shape: duplicate_id, dangling_ref.
        warnings = it.warnings;
        /// Whether nothing was kept.
        dry_run = it.dry_run;
    }
}
