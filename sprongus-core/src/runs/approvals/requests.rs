//! What the operations on approvals are asked with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{DecisionFilter, GATE};
use crate::json::Json;

/// A run under a lease asks for leave to do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestApproval {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// What leave is asked for: `repo.push`, `deploy.production`, …; not `run`, which is the gate before the queue.
    pub scope: String,
    /// What it is about to do, for the one who decides.
    pub intent_summary: String,
    /// The step that asks, where a run asks for the same scope more than once.
    #[serde(default)]
    pub step: Option<String>,
    /// A JSON object, or null.
    #[serde(default)]
    pub metadata: Json,
}

impl RequestApproval {
    /// For that run under that lease.
    pub fn new(id: impl Into<String>, lease: i64, scope: impl Into<String>, intent_summary: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            lease,
            scope: scope.into(),
            intent_summary: intent_summary.into(),
            step: None,
            metadata: Json::null(),
        }
    }
}

/// Somebody approves, or denies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decide {
    /// The run.
    pub run_id: String,
    /// Who decides; the actor of the event.
    pub by: String,
    /// What leave was asked for.
    #[serde(default = "gate")]
    pub scope: String,
    /// The step that asked.
    #[serde(default)]
    pub step: Option<String>,
    /// A word on it.
    #[serde(default)]
    pub note: Option<String>,
    /// A JSON object, merged over the request's, or null.
    #[serde(default)]
    pub metadata: Json,
}

impl Decide {
    /// On the gate before the queue.
    pub fn new(run_id: impl Into<String>, by: impl Into<String>) -> Self {
        Self { run_id: run_id.into(), by: by.into(), scope: gate(), step: None, note: None, metadata: Json::null() }
    }
}

/// Asks for one approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetApproval {
    /// The run.
    pub run_id: String,
    /// What leave was asked for.
    #[serde(default = "gate")]
    pub scope: String,
    /// The step that asked.
    #[serde(default)]
    pub step: Option<String>,
}

impl GetApproval {
    /// The gate of that run.
    pub fn new(run_id: impl Into<String>) -> Self {
        Self { run_id: run_id.into(), scope: gate(), step: None }
    }
}

/// Asks for approvals; filters hold together. The newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListApprovals {
    /// Of that project; none: a scoped handle's own, else all.
    #[serde(default)]
    pub project: Option<String>,
    /// Of that run.
    #[serde(default)]
    pub run_id: Option<String>,
    /// Of that scope.
    #[serde(default)]
    pub scope: Option<String>,
    /// Decided so, or pending; none: all.
    #[serde(default)]
    pub decision: Option<DecisionFilter>,
    /// At most so many, 0 to 1,000.
    #[serde(default = "fifty")]
    pub limit: i64,
    /// `nextCursor` of the page before, with the same filters.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl ListApprovals {
    /// What is not decided yet.
    pub fn pending() -> Self {
        Self { decision: Some(DecisionFilter::Pending), ..Self::default() }
    }
}

impl Default for ListApprovals {
    fn default() -> Self {
        Self { project: None, run_id: None, scope: None, decision: None, limit: fifty(), cursor: None }
    }
}

fn gate() -> String {
    GATE.to_owned()
}

fn fifty() -> i64 {
    crate::page::DEFAULT_LIMIT
}
