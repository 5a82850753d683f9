//! The feed of all events: a cursor that skips nothing (DESIGN.md §5 "Events").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::error::Result;
use crate::session::Session;

/// Asks for the events after a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadEvents {
    /// The `cursor` of the batch before; none: from the beginning.
    #[serde(default)]
    pub after: Option<String>,
    /// Of these types; `aux.*` is all that begin with `aux.`. None: all.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// Of that project; none: a scoped handle's own, else all.
    #[serde(default)]
    pub project: Option<String>,
    /// At most so many, 0 to 1,000.
    #[serde(default = "hundred")]
    pub limit: i64,
}

impl Default for ReadEvents {
    fn default() -> Self {
        Self { after: None, types: None, project: None, limit: hundred() }
    }
}

fn hundred() -> i64 {
    100
}

/// Events, and the position after them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBatch {
    /// In the order of their commits, as near as readers can tell: each subject's in the order of its `seq`.
    pub items: Vec<Event>,
    /// To be passed as the next `after`; always given.
    pub cursor: String,
}

/// The feed of a store, or of an open transaction.
#[derive(Clone, Copy)]
pub struct Events<'s> {
    session: Session<'s>,
}

impl<'s> Events<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// The events after a position, oldest first. Errors: `invalid_argument`.
    pub fn read(&self, request: &ReadEvents) -> Result<EventBatch> {
        let _ = (self.session, request);
        Err(crate::runs::unfinished())
    }

    /// The position after the last event there is.
    pub fn position(&self) -> Result<String> {
        Err(crate::runs::unfinished())
    }
}
