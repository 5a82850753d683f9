//! What a sync takes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is right where both sides changed an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The source.
    Provider,
    /// The table.
    Local,
    /// Whichever was written later; where the source does not say when, it stays a conflict.
    Newest,
    /// Nobody: conflicts are listed, and nothing is done about them.
    #[default]
    Manual,
}

/// A table to be synced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncTable {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// The name of a profile, or `csv:PATH` or `json:PATH`.
    pub provider: String,
    /// Who is right where both sides changed an entry.
    #[serde(default)]
    pub policy: Policy,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// Let an empty pull empty the table.
    #[serde(default)]
    pub force: bool,
    /// The run's idempotency key.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// Leave it to a worker that serves syncs.
    #[serde(default)]
    pub enqueue: bool,
}

impl SyncTable {
    /// A sync of that table with that provider.
    pub fn new(table: impl Into<String>, provider: impl Into<String>) -> Self {
        Self {
            project: None,
            table: table.into(),
            provider: provider.into(),
            policy: Policy::default(),
            dry_run: false,
            force: false,
            idempotency_key: None,
            enqueue: false,
        }
    }
}

/// The input of a run of the kind `sync.aux/TABLE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncInput {
    /// The name of a profile, or `csv:PATH` or `json:PATH`.
    pub provider: String,
    /// Who is right where both sides changed an entry.
    #[serde(default)]
    pub policy: Policy,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// Let an empty pull empty the table.
    #[serde(default)]
    pub force: bool,
}
