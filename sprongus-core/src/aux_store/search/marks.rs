//! What is not folded in yet: each write of a table that has a pre-filter leaves a mark, in its own transaction.
//!
//! A mark names a time of change, not entries: one is enough for an import, however many rows it has, and no clock has to be
//! right for it, for an entry's `last_updated` is looked up as it was written.

use crate::aux_store::rows::Place;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;
use crate::session::Work;

/// Whether marks are wanted: the table has a pre-filter, or this snapshot may be older than it. What is read committed saw it
/// after it locked the table, which whoever makes a pre-filter does alone.
fn wanted(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "EXISTS (SELECT 1 FROM sprongus_search_tables t WHERE t.project_id = $1 AND t.table_name = $2)"
        }
        Dialect::Postgres => {
            "(EXISTS (SELECT 1 FROM sprongus_search_tables t WHERE t.project_id = $1 AND t.table_name = $2) \
             OR current_setting('transaction_isolation') <> 'read committed')"
        }
    }
}

/// PostgreSQL: runs the statement that writes one entry of the table `$1`, `$2` and returns `version, last_updated`, and marks
/// it in the same round trip.
pub(in crate::aux_store) fn write_marked(work: &mut Work<'_>, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
    work.query(&marking(sql), params)
}

fn marking(sql: &str) -> String {
    format!(
        "WITH written AS ({sql}), marked AS (INSERT INTO sprongus_search_marks (project_id, table_name, at) \
         SELECT $1, $2, last_updated FROM written WHERE {}) SELECT version, last_updated FROM written",
        wanted(Dialect::Postgres)
    )
}

/// Marks the entries of a table that this transaction wrote, or is about to write, with that time as `last_updated`.
pub(in crate::aux_store) fn mark(exec: &mut dyn Executor, place: Place<'_>, at: Value<'_>) -> Result<()> {
    let cast = if exec.dialect() == Dialect::Postgres { "::timestamptz" } else { "" };
    let sql = format!(
        "INSERT INTO sprongus_search_marks (project_id, table_name, at) SELECT $1, $2, $3{cast} WHERE {}",
        wanted(exec.dialect())
    );
    exec.execute(&sql, &[place.project.into(), place.table.into(), at]).map(drop)
}
