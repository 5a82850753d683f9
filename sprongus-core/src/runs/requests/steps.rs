//! The steps of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Json;

/// Asks for the stored result of a step, under the lease of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindStep {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// The step: 1–512 bytes.
    pub name: String,
}

impl FindStep {
    /// Of that run under that lease.
    pub fn new(id: impl Into<String>, lease: i64, name: impl Into<String>) -> Self {
        Self { id: id.into(), lease, name: name.into() }
    }
}

/// Stores the result of a step; the first one stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaveStep {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// The step: 1–512 bytes.
    pub name: String,
    /// What came out of it, at most as large as an input.
    pub output: Json,
}

impl SaveStep {
    /// Of that run under that lease.
    pub fn new(id: impl Into<String>, lease: i64, name: impl Into<String>, output: Json) -> Self {
        Self { id: id.into(), lease, name: name.into(), output }
    }
}

/// Asks for the stored steps of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListSteps {
    /// The run.
    pub id: String,
}

impl ListSteps {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}
