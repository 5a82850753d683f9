//! A run that is about to be written: what was asked for, and the row that it becomes.

use std::time::Duration;

use super::lease;
use super::model::Run;
use super::record::Told;
use super::requests::Enqueue;
use super::state::RunState;
use crate::clock::Timestamp;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::json::Json;

/// A run that may be written: its request is sound.
pub(crate) struct Ready<'r> {
    pub(crate) id: String,
    pub(super) request: &'r Enqueue,
    pub(super) project: Option<&'r str>,
}

impl Ready<'_> {
    /// The run as it was written at that moment. It is not read back: what is not given here is the table's default.
    pub(super) fn written(&self, at: Timestamp) -> Run {
        let state = begins(self.request);
        let delayed = self.request.delay.map_or(at, |delay| at.saturating_add(delay));
        let Enqueue { kind, input, priority, max_attempts, timeout, idempotency_key, .. } = self.request;
        let Enqueue { requested_by, channel_id, conversation_id, parent, .. } = self.request;
        Run {
            id: self.id.clone(),
            project_id: self.project.map(str::to_owned),
            kind: kind.clone(),
            input: input.clone(),
            output_ref: None,
            error: None,
            state,
            state_code: state.code(false),
            priority: *priority,
            run_at: self.request.run_at.unwrap_or(delayed),
            idempotency_key: idempotency_key.clone(),
            attempt: 0,
            max_attempts: *max_attempts,
            series: 1,
            lease: 0,
            // As it is stored: in microseconds.
            timeout: timeout.map(|timeout| timeout - Duration::from_nanos((timeout.subsec_nanos() % 1_000).into())),
            claimed_by: None,
            claimed_at: None,
            started_at: None,
            finished_at: None,
            lease_until: None,
            progress: Json::null(),
            requested_by: requested_by.clone(),
            channel_id: channel_id.clone(),
            conversation_id: conversation_id.clone(),
            parent_id: parent.clone(),
            version: 1,
            created_at: at,
            updated_at: at,
            deduplicated: false,
        }
    }
}

/// The columns that a new run gives; what is not among them is the table's default.
pub(super) const COLUMNS: [&str; 19] = [
    "id",
    "project_id",
    "kind",
    "input",
    "state",
    "ready",
    "limited",
    "priority",
    "run_at",
    "idempotency_key",
    "max_attempts",
    "timeout_us",
    "requested_by",
    "channel_id",
    "conversation_id",
    "parent_id",
    "awaiting",
    "created_at",
    "updated_at",
];

/// A run as it is about to be written, and what only its row tells.
pub(super) struct New {
    pub(super) run: Run,
    timeout: Option<i64>,
    /// Ready to be claimed at once.
    ready: bool,
    /// In the lane of the kinds that have a limit.
    limited: bool,
}

impl New {
    /// The run enqueued at that moment.
    pub(super) fn of(ready: &Ready<'_>, at: Timestamp, limited: bool) -> Result<Self> {
        let (run, timeout) = (ready.written(at), timeout(ready.request)?);
        Ok(Self { timeout, ready: run.state == RunState::Queued && run.run_at <= at, limited, run })
    }

    /// Its values, in the order of [`COLUMNS`].
    pub(super) fn values(&self, dialect: Dialect) -> Vec<Value<'_>> {
        let run = &self.run;
        vec![
            (&run.id).into(),
            run.project_id.as_deref().into(),
            (&run.kind).into(),
            dialect.json(&run.input),
            run.state.as_str().into(),
            self.ready.into(),
            self.limited.into(),
            run.priority.into(),
            run.run_at.into(),
            run.idempotency_key.as_deref().into(),
            run.max_attempts.into(),
            self.timeout.into(),
            run.requested_by.as_deref().into(),
            run.channel_id.as_deref().into(),
            run.conversation_id.as_deref().into(),
            run.parent_id.as_deref().into(),
            (run.state == RunState::AwaitingApproval).then_some(&run.id).into(),
            run.created_at.into(),
            run.updated_at.into(),
        ]
    }
}

/// The state in which a run begins.
pub(super) fn begins(request: &Enqueue) -> RunState {
    if request.needs_approval { RunState::AwaitingApproval } else { RunState::Queued }
}

/// What the event of a run that begins so tells.
pub(super) fn told(state: RunState) -> Told<'static> {
    let kind = if state == RunState::AwaitingApproval { "run.approval_requested" } else { "run.enqueued" };
    Told { kind, from: None, to: state, actor: None, more: serde_json::Map::new() }
}

/// In microseconds, as it is stored.
pub(super) fn timeout(request: &Enqueue) -> Result<Option<i64>> {
    request.timeout.map(|timeout| lease::micros("timeout", timeout)).transpose()
}
