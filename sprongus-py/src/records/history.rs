//! `EntryVersion` and `RefView`.

super::record! {
    /// One version of an entry.
    EntryVersion(it: sprongus::aux_store::EntryVersion) {
        /// 1 and up; goes on across a deletion and re-creation of the id.
        version = it.version;
        /// The document as it was; None where this version is a deletion.
        snapshot = it.snapshot;
        /// "created", "updated: title, year", "deleted", "restored from 3".
        change_summary = it.change_summary;
        /// Who made it.
        actor = it.actor;
        /// Why, where the handle said so.
        reason = it.reason;
        /// When: the database's clock.
        at = it.at;
    }
}

super::record! {
    /// What a reference leads to, in few words.
    RefView(it: sprongus::aux_store::RefView) {
        /// The id asked for.
        id = it.id;
        /// Whether no entry has it.
        missing = it.missing;
        /// The document's title, name or label, else its first text field.
        label = it.label;
        /// The document's url, href or link.
        url = it.url;
    }
}
