//! What the calls take and give, as they stand in JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::PresetKind;
use crate::error::Violation;
use crate::json::Json;

/// A new preset.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreatePreset {
    /// The name its versions share: `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`.
    pub label: String,
    /// What it is for.
    pub kind: PresetKind,
    /// A field list or a JSON Schema.
    pub definition: Json,
    /// 1 or more; the label's next where none is given.
    #[serde(default)]
    pub version: Option<i64>,
    /// Whether it is published at once.
    #[serde(default = "yes")]
    pub publish: bool,
}

impl CreatePreset {
    /// The next version of that label, published at once.
    pub fn new(label: impl Into<String>, kind: PresetKind, definition: Json) -> Self {
        Self { label: label.into(), kind, definition, version: None, publish: true }
    }
}

fn yes() -> bool {
    true
}

/// One preset.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PresetAddress {
    /// `label` (its newest published version), `label@2` or an id.
    pub address: String,
}

/// Which presets, in the order of label and version.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListPresets {
    /// Only of this kind.
    #[serde(default)]
    pub kind: Option<PresetKind>,
    /// Only labels that begin so.
    #[serde(default)]
    pub label_prefix: Option<String>,
    /// How many at most; 50 where not given, 0 is none, at most 1,000.
    #[serde(default)]
    pub limit: Option<i64>,
    /// `nextCursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A table and the preset its documents shall follow.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BindPreset {
    /// The table.
    pub table: String,
    /// The preset: published, and not of kind `run_input`.
    pub address: String,
    /// The project; none: every project that has no binding of its own.
    #[serde(default)]
    pub project: Option<String>,
    /// Only check and report.
    #[serde(default)]
    pub dry_run: bool,
    /// Bind though stored entries fail.
    #[serde(default)]
    pub force: bool,
}

/// What a binding found among the stored entries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BindReport {
    /// Entries looked at.
    pub checked: u64,
    /// Entries that break the preset.
    pub failing: u64,
    /// The first 100 violations, each with its entry's id.
    pub errors: Vec<Violation>,
    /// Whether the table is bound to the preset now.
    pub bound: bool,
}

/// A kind of runs and the preset its input shall follow.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BindRunPreset {
    /// The kind of runs.
    pub kind: String,
    /// The preset: published, of kind `run_input`.
    pub address: String,
    /// The project; none: every project that has no binding of its own.
    #[serde(default)]
    pub project: Option<String>,
}

/// A table whose preset is asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoundPreset {
    /// The table.
    pub table: String,
    /// The project; none: what holds where a project has no binding of its own.
    #[serde(default)]
    pub project: Option<String>,
}

/// A document to be judged.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidatePayload {
    /// The preset.
    pub address: String,
    /// The document as it is: no defaults are applied, nothing is taken out.
    pub payload: Json,
}

/// Which presets to export.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportPresets {
    /// Only of this kind.
    #[serde(default)]
    pub kind: Option<PresetKind>,
    /// Only labels that begin so.
    #[serde(default)]
    pub label_prefix: Option<String>,
}

/// A preset as it travels between stores: without ids and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PresetItem {
    /// The label.
    pub label: String,
    /// What it is for.
    pub kind: PresetKind,
    /// The version.
    pub version: i64,
    /// A field list or a JSON Schema.
    pub definition: Json,
    /// Whether it is published.
    #[serde(default = "yes")]
    pub published: bool,
}

/// What happens to presets an import does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresetImportMode {
    /// They stay.
    #[default]
    Merge,
    /// They are deleted; one that is bound makes the import a `conflict`.
    Replace,
}

/// Presets to import: all or none.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportPresets {
    /// What `export` gave.
    pub items: Vec<PresetItem>,
    /// What happens to the others.
    #[serde(default)]
    pub mode: PresetImportMode,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedPresets {
    /// Presets that were not there.
    pub created: u64,
    /// Drafts that changed, or were published.
    pub updated: u64,
    /// Presets that were there as they are.
    pub unchanged: u64,
    /// Presets that mode `replace` removed.
    pub deleted: u64,
}
