//! Faults made to happen: each test asserts that its fault struck (DESIGN.md §14).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approvals_postgres;
mod artifacts;
mod bulk_keys;
mod child;
mod commit_postgres;
#[cfg(target_os = "linux")]
mod commit_sqlite;
mod deciding;
mod doctor_postgres;
mod doctor_sqlite;
mod feed_postgres;
mod keys;
mod opening;
mod projects;
mod projects_postgres;
mod rivals;
mod runs_postgres;
mod search;
mod syncs;
mod tables;
mod worker_postgres;

use sprongus::presets::{CreatePreset, ListPresets, PresetKind};
use sprongus::{Json, Store};

/// An operation of ours that writes several rows and an event.
fn create(store: &Store, label: &str) -> sprongus::Result<sprongus::presets::Preset> {
    let definition = Json::parse(r#"{"fields":[{"name":"title","type":"string"}]}"#)?;
    store.presets().create(&CreatePreset::new(label, PresetKind::Custom, definition))
}

/// How many stored presets there are under that label.
fn stored(store: &Store, label: &str) -> usize {
    let wanted = ListPresets { label_prefix: Some(label.to_owned()), ..ListPresets::default() };
    store.presets().list(&wanted).unwrap().items.len()
}
