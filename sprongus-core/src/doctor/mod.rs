//! What is wrong with a store, or soon will be, and what to do about it (`store.doctor`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;
use crate::session::Session;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether nothing worse than advice was found.
    pub ok: bool,
    /// The worst first.
    pub findings: Vec<Finding>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `dangling_refs`, `long_wal`, …: stable.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, and where.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something is broken.
    Error,
    /// Something will break, or costs.
    Warning,
    /// Worth knowing.
    Advice,
}

/// Looks at the store.
pub(crate) fn examine(session: Session<'_>) -> Result<Report> {
    session.allow(Scope::Admin)?;
    Err(Error::new(ErrorCode::Unsupported, "not yet"))
}
