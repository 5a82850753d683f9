//! The presets that come with the library, one JSON Schema a file: recommended fields, anything else welcome (DESIGN.md §6,
//! §9a, §15 "Presets").
//!
//! Three are bound from the start, for all projects; the workspace data model is bound by `projects.install`.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::model::{Preset, PresetKind};
use crate::clock::Timestamp;
use crate::fork::made_once;
use crate::json::Json;

/// A preset that needs no row: its label and the table it is for are one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// The label, and the table it is for.
    pub label: &'static str,
    /// The kind of the same name, or `custom`.
    pub kind: PresetKind,
    schema: &'static str,
}

/// What the ids of built-ins begin with; no label of a host's does.
pub(super) const PREFIX: &str = "builtin-";
/// 2026-11-20T00:00:00Z.
const SINCE: i64 = 1_795_132_800_000_000;

const fn of_kind(label: &'static str, kind: PresetKind, schema: &'static str) -> Builtin {
    Builtin { label, kind, schema }
}

const fn workspace(label: &'static str, schema: &'static str) -> Builtin {
    of_kind(label, PresetKind::Custom, schema)
}

/// Every built-in: those that are bound from the start, then those of the workspace data model.
pub const BUILTINS: [Builtin; 12] = [
    of_kind("assets", PresetKind::Assets, include_str!("assets.json")),
    of_kind("citations", PresetKind::Citations, include_str!("citations.json")),
    of_kind("storyboard", PresetKind::Storyboard, include_str!("storyboard.json")),
    workspace("chat_messages", include_str!("chat_messages.json")),
    workspace("chat_threads", include_str!("chat_threads.json")),
    workspace("deployments", include_str!("deployments.json")),
    workspace("file_chunks", include_str!("file_chunks.json")),
    workspace("infra_resources", include_str!("infra_resources.json")),
    workspace("project_files", include_str!("project_files.json")),
    workspace("project_skills", include_str!("project_skills.json")),
    workspace("repos", include_str!("repos.json")),
    workspace("sandbox_jobs", include_str!("sandbox_jobs.json")),
];

impl Builtin {
    /// The built-in of that label.
    pub fn named(label: &str) -> Option<Self> {
        BUILTINS.into_iter().find(|builtin| builtin.label == label)
    }

    /// The built-in of that id.
    pub fn of_id(id: &str) -> Option<Self> {
        id.strip_prefix(PREFIX).and_then(Self::named)
    }

    /// The built-in that a table is bound to from the start, in every project.
    pub fn bound_to(table: &str) -> Option<Self> {
        Self::named(table).filter(|builtin| !builtin.is_installed())
    }

    /// Whether its table is bound to it by `projects.install`, not from the start.
    pub fn is_installed(&self) -> bool {
        self.kind == PresetKind::Custom
    }

    /// It as a preset: version 1 of its label, published when the library first carried it.
    pub fn preset(self) -> Preset {
        let at = Timestamp::from_micros(SINCE);
        Preset {
            id: format!("{PREFIX}{}", self.label),
            label: self.label.to_owned(),
            kind: self.kind,
            version: 1,
            definition: self.definition(),
            published_at: Some(at),
            created_at: at,
            updated_at: at,
        }
    }

    /// Its definition: a JSON Schema that allows additional properties.
    pub fn definition(self) -> Json {
        static DEFINITIONS: OnceLock<HashMap<&str, Json>> = OnceLock::new();
        // The files are the library's own; a test reads each.
        let read = || BUILTINS.iter().map(|one| (one.label, Json::parse(one.schema).unwrap_or_default())).collect();
        made_once(&DEFINITIONS, read).get(self.label).cloned().unwrap_or_default()
    }
}
