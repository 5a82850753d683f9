//! What a sync takes, and what it says it has done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation};
use crate::json::Json;
use crate::runs::{Policy, SyncInput};

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

    /// The input of its run.
    pub(super) fn input(&self) -> Result<Json> {
        let Self { provider, policy, dry_run, force, .. } = self;
        Json::from_serialize(&SyncInput {
            provider: provider.clone(),
            policy: *policy,
            dry_run: *dry_run,
            force: *force,
        })
    }
}

/// What happened to an entry on one side since both sides had the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideChange {
    /// It is new there.
    Created,
    /// It is another one there.
    Updated,
    /// It is gone there.
    Deleted,
}

/// What a sync did about an entry; in a dry run, what it would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// The table took the source's change.
    Pulled,
    /// The source was given the table's change.
    Pushed,
    /// Both changed, and nobody is right: both stay as they are.
    Conflict,
    /// The source cannot be written: the table's change stays here.
    NotPushed,
    /// The source's document is not one for this table.
    Refused,
    /// A deletion at the source was not taken over, for a document that could not be read may be the one.
    Kept,
    /// The entry was changed here meanwhile: the next sync looks at it.
    Later,
}

/// One entry of a sync's diff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncItem {
    /// The entry; none where a document does not tell which one it is.
    #[serde(default)]
    pub id: Option<String>,
    /// What happened to it at the source.
    #[serde(default)]
    pub provider: Option<SideChange>,
    /// What happened to it in the table.
    #[serde(default)]
    pub local: Option<SideChange>,
    /// What was done about it. Where both sides changed it was a conflict, whatever the policy made of it.
    pub outcome: SyncOutcome,
    /// Why it was refused; `row` counts the documents of the pull.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}

/// The figures of a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncCounts {
    /// Documents the source gave.
    pub pulled: u64,
    /// Entries the table got.
    pub created: u64,
    /// Entries the table got a new version of.
    pub updated: u64,
    /// Entries the table lost.
    pub deleted: u64,
    /// Documents the source got.
    pub pushed_created: u64,
    /// Documents that are others at the source now.
    pub pushed_updated: u64,
    /// Documents the source lost.
    pub pushed_deleted: u64,
    /// Entries that both sides changed, whatever became of them.
    pub conflicts: u64,
    /// Of those, the ones that are as they were.
    pub unresolved: u64,
    /// Changes of the table that a source which cannot be written did not get.
    pub not_pushed: u64,
    /// Documents that were refused.
    pub errors: u64,
}

/// What a sync found and did: the artifact `sync.diff` of the table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncDiff {
    /// The figures.
    pub counts: SyncCounts,
    /// Conflicts first, then refused documents, then the rest; by id.
    pub items: Vec<SyncItem>,
    /// How many more there are than the artifact holds.
    pub omitted: u64,
    /// `duplicate_id` (of documents with one id the last counts) and `dangling_ref`, the first thousand.
    pub warnings: Vec<Violation>,
    /// Whether nothing was done.
    pub dry_run: bool,
}

impl SyncDiff {
    /// Reads the content of the artifact.
    ///
    /// # Errors
    /// `validation` where it is another one's.
    pub fn parse(content: &[u8]) -> Result<Self> {
        serde_json::from_slice(content).map_err(|error| {
            Error::validation(vec![Violation::new("", "json", format!("this is no diff of a sync: {error}"))])
        })
    }
}
