//! What an approval is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::json::Json;

/// The scope of the gate before the queue.
pub const GATE: &str = "run";

/// How an approval was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Leave was given.
    Approved,
    /// Leave was refused: the run ended.
    Denied,
}

impl Decision {
    /// `approved` or `denied`: as in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }
}

/// Which approvals a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionFilter {
    /// Leave was given.
    Approved,
    /// Leave was refused.
    Denied,
    /// Not decided yet.
    Pending,
}

/// Leave that was asked for, and what was decided; one per run, scope and step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// ULID; the gate's is its run's.
    pub id: String,
    /// The run's project.
    pub project_id: Option<String>,
    /// The run.
    pub run_id: String,
    /// The step that asked, where one was named.
    pub step: Option<String>,
    /// What leave is asked for; `run` is the gate before the queue.
    pub scope: String,
    /// What the run is about to do.
    pub intent_summary: Option<String>,
    /// None: pending.
    pub decision: Option<Decision>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// A word of who decided.
    pub note: Option<String>,
    /// An object: the request's and the decision's members; the decision's win.
    pub metadata: Json,
    /// When it was asked for.
    pub created_at: Timestamp,
}
