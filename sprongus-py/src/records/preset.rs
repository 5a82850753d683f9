//! `Preset`.

super::record! {
    /// A preset as it is stored; immutable once published.
    Preset(it: sprongus::presets::Preset) {
        /// A ULID.
        id = it.id;
        /// The name that its versions share.
        label = it.label;
        /// What it is for: storyboard, assets, citations, custom or run_input.
        kind = it.kind.as_str();
        /// 1 and up within the label.
        version = it.version;
        /// A field list or a JSON Schema, as it was given.
        definition = it.definition;
        /// When it became immutable; None for a draft.
        published_at = it.published_at;
        /// When it was created.
        created_at = it.created_at;
        /// When it was last changed.
        updated_at = it.updated_at;
    }
}
