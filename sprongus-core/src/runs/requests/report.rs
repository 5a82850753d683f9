//! What a worker says of a run it has.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{given, yes};
use crate::json::Json;

/// A dispatched run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartRun {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
}

impl StartRun {
    /// Of that run under that lease.
    pub fn new(id: impl Into<String>, lease: i64) -> Self {
        Self { id: id.into(), lease }
    }
}

/// A worker is still at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Heartbeat {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// How far it has come; null is kept as null, left out leaves what is there.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub progress: Option<Json>,
    /// For how long from now, in seconds; default: as long as it was claimed for.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub extend: Option<Duration>,
}

impl Heartbeat {
    /// Of that run under that lease, without progress.
    pub fn new(id: impl Into<String>, lease: i64) -> Self {
        Self { id: id.into(), lease, progress: None, extend: None }
    }
}

/// An attempt succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Succeed {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// What came out, kept as the artifact `run.output` of the run; null is an output too.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub output: Option<Json>,
    /// Where what came out is kept; not together with `output`.
    #[serde(default)]
    pub output_ref: Option<String>,
}

impl Succeed {
    /// Of that run under that lease, without an output.
    pub fn new(id: impl Into<String>, lease: i64) -> Self {
        Self { id: id.into(), lease, output: None, output_ref: None }
    }
}

/// An attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fail {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// What went wrong; cut at the store's `max_error_bytes`.
    pub error: String,
    /// Whether another attempt may do better.
    #[serde(default = "yes")]
    pub retryable: bool,
    /// When the next attempt is due, in seconds; default: exponential backoff with full jitter. Only where `retryable`.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub retry_in: Option<Duration>,
}

impl Fail {
    /// Of that run under that lease; another attempt may do better.
    pub fn new(id: impl Into<String>, lease: i64, error: impl Into<String>) -> Self {
        Self { id: id.into(), lease, error: error.into(), retryable: true, retry_in: None }
    }
}

/// A run is put off: the attempt is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snooze {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// When it is due again, in seconds from now.
    #[serde(with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub delay: Duration,
}

impl Snooze {
    /// Of that run under that lease.
    pub fn new(id: impl Into<String>, lease: i64, delay: Duration) -> Self {
        Self { id: id.into(), lease, delay }
    }
}

/// Many attempts succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SucceedMany {
    /// Each for itself, at most 1,000.
    pub items: Vec<Succeed>,
}

/// Many attempts failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailMany {
    /// Each for itself, at most 1,000.
    pub items: Vec<Fail>,
}
