//! Putting runs into the queue.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::three;
use crate::clock::Timestamp;
use crate::json::Json;

/// A run to be enqueued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Enqueue {
    /// What is to be done: 1–512 bytes, not ending in `/*`.
    pub kind: String,
    /// What it is to be done with.
    #[serde(default)]
    pub input: Json,
    /// Whose it is.
    #[serde(default)]
    pub project: Option<String>,
    /// The same key in the same project gives the first run; another kind or input under it is `conflict`.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// Executions after which a failure is final; at least 1.
    #[serde(default = "three")]
    pub max_attempts: i64,
    /// Higher is claimed first.
    #[serde(default)]
    pub priority: i64,
    /// Not before that moment, which is not before 1970; not together with `delay`.
    #[serde(default)]
    pub run_at: Option<Timestamp>,
    /// Not before that many seconds have passed; not together with `run_at`.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub delay: Option<Duration>,
    /// The longest an attempt may take from its claim on, in seconds; then it is timed out, or tried again while attempts are
    /// left.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub timeout: Option<Duration>,
    /// Let it wait for an approval before it is queued.
    #[serde(default)]
    pub needs_approval: bool,
    /// Who asks for it.
    #[serde(default)]
    pub requested_by: Option<String>,
    /// The channel it is asked for in.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// The conversation within the channel.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// The run that asks for it.
    #[serde(default)]
    pub parent: Option<String>,
}

impl Enqueue {
    /// A run of that kind, due at once, with three attempts.
    pub fn new(kind: impl Into<String>, input: Json) -> Self {
        Self {
            kind: kind.into(),
            input,
            project: None,
            idempotency_key: None,
            max_attempts: three(),
            priority: 0,
            run_at: None,
            delay: None,
            timeout: None,
            needs_approval: false,
            requested_by: None,
            channel_id: None,
            conversation_id: None,
            parent: None,
        }
    }
}

/// Runs to be enqueued, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnqueueMany {
    /// The runs; the answer is in their order.
    pub items: Vec<Enqueue>,
}

impl EnqueueMany {
    /// Of those runs.
    pub fn new(items: Vec<Enqueue>) -> Self {
        Self { items }
    }
}

/// Asks for the run under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindIdempotent {
    /// The key.
    pub key: String,
    /// Of that project; none: a scoped handle's own, else the runs without one.
    #[serde(default)]
    pub project: Option<String>,
}

impl FindIdempotent {
    /// The run under that key.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), project: None }
    }
}
