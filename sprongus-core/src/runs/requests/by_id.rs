//! What is asked or done of one run.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cancel {
    /// The run.
    pub id: String,
    /// Why; stands in its event.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Cancel {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), reason: None }
    }
}

/// Asks for one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRun {
    /// The run.
    pub id: String,
}

impl GetRun {
    /// Of that id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Asks for the events of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunEvents {
    /// The run.
    pub id: String,
}

impl RunEvents {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Asks for what came out of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunOutput {
    /// The run.
    pub id: String,
}

impl RunOutput {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// A run that ended is queued again by hand: a new series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetryRun {
    /// The run.
    pub id: String,
}

impl RetryRun {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Asks why a run is not running, and what would change that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainRun {
    /// The run.
    pub id: String,
}

impl ExplainRun {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Waits for a run to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaitRun {
    /// The run.
    pub id: String,
    /// At most that long, in seconds; none: without end.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub timeout: Option<Duration>,
}

impl WaitRun {
    /// For that run, without end.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), timeout: None }
    }
}
