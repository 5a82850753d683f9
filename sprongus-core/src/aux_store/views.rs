//! Light views of entries that are referred to (DESIGN.md §15 "Reads").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a reference leads to, in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefView {
    /// The id asked for.
    pub id: String,
    /// Whether no entry has it.
    pub missing: bool,
    /// The payload's `title`, `name` or `label`, else its first text field.
    pub label: Option<String>,
    /// The payload's `url`, `href` or `link`.
    pub url: Option<String>,
}
