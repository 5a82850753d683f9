//! Lists of runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fifty;
use crate::clock::Timestamp;
use crate::runs::state::RunState;

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The last enqueued first.
    #[default]
    Newest,
    /// The first enqueued first.
    Oldest,
}

/// Asks for runs; filters hold together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRuns {
    /// Of that project; none: a scoped handle's own, else all.
    #[serde(default)]
    pub project: Option<String>,
    /// In one of these states; none given: in any.
    #[serde(default)]
    pub state: Option<Vec<RunState>>,
    /// Of one of these kinds, at most 1,000; none given: of any.
    #[serde(default)]
    pub kind: Option<Vec<String>>,
    /// Enqueued at that moment or after it.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Enqueued before that moment.
    #[serde(default)]
    pub before: Option<Timestamp>,
    /// Asked for in that channel.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// Asked for in that conversation.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// Asked for by that run.
    #[serde(default)]
    pub parent: Option<String>,
    /// By the time of enqueueing, then by id.
    #[serde(default)]
    pub order: Order,
    /// At most so many, 0 to 1,000.
    #[serde(default = "fifty")]
    pub limit: i64,
    /// `nextCursor` of the page before, with the same filters and order.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Default for ListRuns {
    fn default() -> Self {
        Self {
            project: None,
            state: None,
            kind: None,
            since: None,
            before: None,
            channel_id: None,
            conversation_id: None,
            parent: None,
            order: Order::Newest,
            limit: fifty(),
            cursor: None,
        }
    }
}
