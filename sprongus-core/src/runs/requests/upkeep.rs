//! Limits, figures and retention.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits the runs of a kind; both none lifts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitKind {
    /// The kind, exactly.
    pub kind: String,
    /// At most so many dispatching or running at once; at least 1.
    #[serde(default)]
    pub concurrency: Option<i64>,
    /// A bucket of so many tokens, one a claim, refilled at that rate; at least 1.
    #[serde(default)]
    pub rate: Option<i64>,
    /// The time in which the bucket is refilled, in seconds.
    #[serde(default = "second", with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub per: Duration,
}

impl LimitKind {
    /// No limit for that kind.
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), concurrency: None, rate: None, per: second() }
    }
}

/// Asks for the figures of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunStatsOf {
    /// Of that project; none: a scoped handle's own, else all.
    #[serde(default)]
    pub project: Option<String>,
    /// How far back outcomes and latencies are looked at, in seconds.
    #[serde(default = "hour", with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub window: Duration,
}

impl Default for RunStatsOf {
    fn default() -> Self {
        Self { project: None, window: hour() }
    }
}

/// Removes runs that ended long ago, with their events, steps, approvals and outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prune {
    /// Succeeded so long ago, in seconds.
    #[serde(default = "thirty_days", with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub succeeded_after: Duration,
    /// Failed, denied, canceled or timed out so long ago, in seconds.
    #[serde(default = "ninety_days", with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub failed_after: Duration,
    /// At most so many, 0 to 10,000.
    #[serde(default = "ten_thousand")]
    pub limit: i64,
}

impl Default for Prune {
    fn default() -> Self {
        Self { succeeded_after: thirty_days(), failed_after: ninety_days(), limit: ten_thousand() }
    }
}

fn second() -> Duration {
    Duration::from_secs(1)
}

fn hour() -> Duration {
    Duration::from_secs(3_600)
}

fn thirty_days() -> Duration {
    Duration::from_secs(30 * 86_400)
}

fn ninety_days() -> Duration {
    Duration::from_secs(90 * 86_400)
}

fn ten_thousand() -> i64 {
    10_000
}
