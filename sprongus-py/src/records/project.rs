//! `Project`.

super::record! {
    /// A project on record.
    Project(it: sprongus::projects::Project) {
        /// Its id, by which runs, entries and artifacts name it.
        id = it.id;
        /// What people call it.
        name = it.name;
        /// What addresses call it.
        slug = it.slug;
        /// Whose it is, where somebody is named.
        owner = it.owner;
        /// Where it stands: "active", or whatever the host has set.
        status = it.status;
        /// When it was created: the database's clock.
        created_at = it.created_at;
        /// When its record was last changed.
        updated_at = it.updated_at;
    }
}
