//! SQLite: bulk writes that ended with their process. Nobody sees what they wrote, and it takes room.

use super::{Finding, listed};
use crate::aux_store::dead_batches;
use crate::db::Dialect;
use crate::error::Result;
use crate::session::Session;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    if session.core().dialect() == Dialect::Postgres {
        return Ok(Vec::new());
    }
    let clock = &session.options().clock;
    let dead = session.read(|exec| dead_batches(exec, &**clock))?;
    if dead.is_empty() {
        return Ok(Vec::new());
    }
    let tables: Vec<String> = dead.iter().map(|(project, table)| format!("{table} of the project {project}")).collect();
    Ok(vec![Finding::warning(
        "unfinished_bulk",
        format!(
            "a bulk write ended with its process; what it wrote is not seen, and searches of the table walk it: {}",
            listed(&tables)
        ),
        "bulk_upsert no rows, or any, into the table: that undoes it first",
    )])
}
