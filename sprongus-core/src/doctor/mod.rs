//! What is wrong with a store, or soon will be, and what to do about it (`store.doctor`, DESIGN.md §13).
//!
//! It reads and never writes, and looks at a bounded number of rows: a finding that stands on a part says so. What cannot be
//! looked at for want of a right is a finding too.

mod bindings;
mod disk;
mod pragmas;
mod references;
mod runs;
mod schema;
mod server;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::db::Dialect;
use crate::error::{ErrorCode, Result};
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
    /// `dangling_refs`, `long_wal`, …: stable. docs/doctor.md lists them.
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

impl Finding {
    fn new(code: &str, severity: Severity, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: code.to_owned(), severity, message: message.into(), fix: fix.into() }
    }

    fn error(code: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message, fix)
    }

    fn warning(code: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message, fix)
    }

    fn advice(code: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(code, Severity::Advice, message, fix)
    }
}

/// One concern: its name, and what looks at it.
type Look = (&'static str, fn(Session<'_>) -> Result<Vec<Finding>>);

const EVERYWHERE: [Look; 4] = [
    ("the schema", schema::look),
    ("bindings", bindings::look),
    ("references", references::look),
    ("runs", runs::look),
];
const SQLITE: [Look; 2] = [("the connection's settings", pragmas::look), ("the file", disk::look)];
const POSTGRES: [Look; 3] = [
    ("the server's settings", server::settings),
    ("open transactions", server::transactions),
    ("vacuuming", server::vacuuming),
];

/// Looks at the store.
pub(crate) fn examine(session: Session<'_>) -> Result<Report> {
    session.allow(Scope::Admin)?;
    let own: &[Look] = match session.core().dialect() {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    };
    let mut findings = Vec::new();
    for (name, look) in EVERYWHERE.iter().chain(own) {
        match look(session) {
            Ok(found) => findings.extend(found),
            Err(error) if error.code() == ErrorCode::PermissionDenied => findings.push(Finding::advice(
                "not_looked_at",
                format!("{name} could not be looked at: {}", error.message()),
                "run the doctor as a role that may read them",
            )),
            Err(error) if error.code() == ErrorCode::Corrupt => findings.push(Finding::error(
                "corrupt",
                format!("{name}: {}", error.message()),
                "restore the database from a copy, or correct what is named",
            )),
            Err(error) => return Err(error),
        }
    }
    findings.sort_by(|a, b| (a.severity, &a.code, &a.message).cmp(&(b.severity, &b.code, &b.message)));
    let ok = findings.iter().all(|one| one.severity == Severity::Advice);
    Ok(Report { ok, findings })
}

/// A list for people: the first few, and how many more there are.
fn listed(names: &[String]) -> String {
    const NAMED: usize = 5;
    let more = names.len().saturating_sub(NAMED);
    let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// The programs of the page on the doctor run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/doctor.md")]
struct DocsPage;
