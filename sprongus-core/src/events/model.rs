//! What an event is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::db::Row;
use crate::error::Result;
use crate::json::Json;

/// Something that was committed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// ULID.
    pub id: String,
    /// The run it is about, if it is about one.
    pub run_id: Option<String>,
    /// `run:ID`, `aux:PROJECT/TABLE/ID`, `preset:LABEL@2`, …
    pub subject: String,
    /// 1..n within its subject; without gaps in a run.
    pub seq: i64,
    /// `run.enqueued`, `aux.created`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was committed: the database's clock.
    pub at: Timestamp,
    /// Who did it: the worker, the handle's actor, else the user of the operating system.
    pub actor: String,
    /// For a run's transition: `from`, `to`, `attempt` and what is particular to it.
    pub payload: Json,
}

/// The columns that [`read_event`] reads, in its order.
pub(crate) const COLUMNS: &str = "id, run_id, subject, seq, type, at, actor, payload";

/// An event from a row of [`COLUMNS`].
pub(crate) fn read_event(row: &Row) -> Result<Event> {
    Ok(Event {
        id: row.text(0)?,
        run_id: row.opt_text(1)?,
        subject: row.text(2)?,
        seq: row.int(3)?,
        kind: row.text(4)?,
        at: row.time(5)?,
        actor: row.text(6)?,
        payload: row.json(7)?,
    })
}

impl Event {
    /// The name of the older schema (`RunCreated`, `ExecutionFailed`, …), where it had one for this type.
    pub fn older_name(&self) -> Option<&'static str> {
        Some(match self.kind.as_str() {
            "run.enqueued" => "RunCreated",
            "run.approval_requested" => "ApprovalRequested",
            "run.approved" => "RunApproved",
            "run.denied" => "RunDenied",
            "run.dispatched" => "ExecutionDispatched",
            "run.started" => "ExecutionStarted",
            "run.succeeded" => "ExecutionSucceeded",
            "run.failed" => "ExecutionFailed",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_names_are_those_of_the_older_schema() {
        let older = |kind: &str| {
            let subject = "run:r".to_owned();
            let (actor, payload) = ("a".to_owned(), Json::null());
            let (kind, at) = (kind.to_owned(), Timestamp::from_micros(0));
            Event { id: "e".to_owned(), run_id: None, subject, seq: 1, kind, at, actor, payload }.older_name()
        };
        for (kind, name) in [
            ("run.enqueued", "RunCreated"),
            ("run.approval_requested", "ApprovalRequested"),
            ("run.approved", "RunApproved"),
            ("run.denied", "RunDenied"),
            ("run.dispatched", "ExecutionDispatched"),
            ("run.started", "ExecutionStarted"),
            ("run.succeeded", "ExecutionSucceeded"),
            ("run.failed", "ExecutionFailed"),
        ] {
            assert_eq!(older(kind), Some(name));
        }
        for newer in
            ["run.rescued", "run.snoozed", "run.retried", "run.retry_scheduled", "run.canceled", "run.timed_out"]
        {
            assert_eq!(older(newer), None);
        }
        assert_eq!(older("aux.created"), None);
    }
}
