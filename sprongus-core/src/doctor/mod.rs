//! What is wrong with a store, or soon will be, and what to do about it (`store.doctor`, DESIGN.md §13).
//!
//! It reads and never writes, and looks at a bounded number of rows: a finding that stands on a part says so. What cannot be
//! looked at for want of a right is a finding too. Only when asked to go deep does it read everything.

mod activity;
mod batches;
mod bindings;
mod clock;
mod deep;
mod disk;
mod pragmas;
mod projects;
mod references;
mod report;
mod runs;
mod schema;
mod server;
mod tables;
mod vacuum;
mod wake;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use report::{Finding, Report, Severity};

use crate::db::Dialect;
use crate::error::{ErrorCode, Result};
use crate::scope::Scope;
use crate::session::Session;

/// How closely a store is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Examine {
    /// Read everything, for however long that takes: each page of a SQLite file (`PRAGMA integrity_check`), each index on
    /// PostgreSQL (`amcheck`), each artifact's content against its SHA-256.
    #[serde(default)]
    pub deep: bool,
}

/// One concern: its name, and what looks at it.
type Look = (&'static str, fn(Session<'_>) -> Result<Vec<Finding>>);

/// The first to be looked at: where it is not as it should be, others may not be possible to look at.
const SCHEMA: Look = ("the schema", schema::look);
const EVERYWHERE: [Look; 8] = [
    ("custom tables", tables::look),
    ("bindings", bindings::look),
    ("projects", projects::look),
    ("references", references::look),
    ("runs", runs::look),
    ("bulk writes", batches::look),
    ("the clock", clock::look),
    ("wake-ups", wake::look),
];
const SQLITE: [Look; 2] = [("the connection's settings", pragmas::look), ("the file", disk::look)];
const POSTGRES: [Look; 4] = [
    ("the server's settings", server::settings),
    ("connections", server::connections),
    ("open transactions", activity::look),
    ("vacuuming", vacuum::look),
];
const DEEP: [Look; 2] = [("what is stored", deep::storage), ("contents of artifacts", deep::contents)];

/// Looks at the store.
pub(crate) fn examine(session: Session<'_>, how: Examine) -> Result<Report> {
    session.allow(Scope::Admin)?;
    let own: &[Look] = match session.core().dialect() {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    };
    let deep: &[Look] = if how.deep { &DEEP } else { &[] };
    let mut findings = look(session, SCHEMA, false)?;
    let broken = findings.iter().any(|one| one.code == "schema_drift");
    for at in EVERYWHERE.iter().chain(own).chain(deep) {
        findings.extend(look(session, *at, broken)?);
    }
    Ok(Report::of(findings))
}

/// Looks at one concern; what cannot be looked at is found too. A store that cannot be reached is an error.
fn look(session: Session<'_>, (name, at): Look, broken: bool) -> Result<Vec<Finding>> {
    let error = match at(session) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let message = || format!("{name} could not be looked at: {}", error.message());
    let found = match error.code() {
        ErrorCode::PermissionDenied => {
            Finding::advice("not_looked_at", message(), "run the doctor as a role that may read them")
        }
        ErrorCode::Corrupt => Finding::error(
            "corrupt",
            format!("{name}: {}", error.message()),
            "restore the database from a copy, or correct what is named",
        ),
        // A statement over a table or column that is missing.
        ErrorCode::InvalidArgument | ErrorCode::NotFound | ErrorCode::Storage if broken => {
            Finding::advice("not_looked_at", message(), "mend the schema first, then ask again")
        }
        _ => return Err(error),
    };
    Ok(vec![found])
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
