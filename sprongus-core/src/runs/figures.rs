//! The records of limits, figures, steps and batch reports.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Run;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::json::Json;

/// A step of a run whose result is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepResult {
    /// The step.
    pub name: String,
    /// What came out of it.
    pub output: Json,
    /// The attempt that finished it.
    pub attempt: i64,
    /// When it was stored.
    pub at: Timestamp,
}

/// The limits of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindLimit {
    /// The kind.
    pub kind: String,
    /// At most so many dispatching or running at once.
    pub concurrency: Option<i64>,
    /// Tokens of the bucket.
    pub rate: Option<i64>,
    /// The time in which the bucket is refilled, in seconds.
    #[serde(with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub per: Duration,
}

/// The figures of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunStats {
    /// Runs by state: the live states exactly, the others over the window.
    pub by_state: BTreeMap<String, i64>,
    /// The same by kind.
    pub by_kind: BTreeMap<String, BTreeMap<String, i64>>,
    /// For how long the oldest due run has waited, in seconds.
    pub oldest_due_age: Option<f64>,
    /// From due to started: `p50`, `p95`, `p99`, in seconds; empty where nothing started.
    pub wait: BTreeMap<String, f64>,
    /// From started to ended, likewise.
    pub run: BTreeMap<String, f64>,
    /// Succeeded of all that ended by themselves (succeeded, failed, timed out).
    pub success_rate: Option<f64>,
    /// Seconds looked back.
    pub window: f64,
    /// Whether there was more than was looked at.
    pub sampled: bool,
}

/// What became of one report of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reported {
    /// The run, where the report was taken.
    pub run: Option<Run>,
    /// Why it was not, else: `code`, `message`, `details`, `retryable`.
    pub error: Option<Json>,
}

impl Reported {
    /// As JSON tells it.
    pub fn of(result: Result<Run>) -> Self {
        match result {
            Ok(run) => Self { run: Some(run), error: None },
            Err(error) => Self { run: None, error: Json::from_value(&error.to_json()).ok() },
        }
    }
}
