//! PostgreSQL: gives positions to committed events that have none (DESIGN.md §5 "Events").
//!
//! Commits overtake one another, so a number taken while writing says nothing about who was first to be seen. Readers give
//! the positions: one at a time, each in a statement that commits by itself, so that no client can hold the others up. A
//! position that is seen is never followed by a lower one, and nobody waits for a transaction that is open.

use std::sync::Mutex;

use super::known::{Known, Look, START};
use crate::db::{Dialect, Executor, Value};
use crate::error::{ErrorCode, Result};
use crate::session::{Session, locked};

/// Events that one statement gives positions to.
const BATCH: i64 = 1_000;

/// What became of an attempt to give positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// Events come with their positions, or this reader cannot give any.
    Never,
    /// Another reader is giving them just now.
    Elsewhere,
    /// They go up to `end`; with `all`, every event that was committed when it began has one.
    UpTo { end: i64, all: bool },
}

/// Whether to wait for another reader who is giving positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Only if nobody else does.
    Try,
    /// When the others are done: each is, after one statement.
    Wait,
}

/// Gives positions to the next events without one, in the order of writing.
pub(super) fn give(session: Session<'_>, turn: Turn) -> Result<Given> {
    if session.core().dialect() == Dialect::Sqlite || session.options().read_only {
        return Ok(Given::Never);
    }
    let given = attempt(session, turn);
    match given {
        // The answer was lost; what has a position by now is not given another.
        Err(error) if error.code() == ErrorCode::OutcomeUnknown => attempt(session, turn),
        given => given,
    }
}

fn attempt(session: Session<'_>, turn: Turn) -> Result<Given> {
    let known = session.core().shared::<Mutex<Known>>();
    let start = locked(&known).params();
    match session.beside(|exec| statement(exec, turn, &start))? {
        None => Ok(Given::Never),
        Some(None) => Ok(Given::Elsewhere),
        Some(Some((look, end))) => {
            locked(&known).learn(&look);
            Ok(Given::UpTo { end, all: look.all })
        }
    }
}

/// The look, and the last position there is; `None` where it is another's turn.
///
/// The lock comes first: what depends on no row is decided before any is read. Rows that others have locked are being
/// deleted.
fn statement(exec: &mut dyn Executor, turn: Turn, start: &[Value<'_>]) -> Result<Option<(Look, i64)>> {
    let key = "hashtextextended('sprongus_positions:' || current_schema(), 0)";
    let lock = match turn {
        Turn::Try => format!("pg_try_advisory_xact_lock({key})"),
        Turn::Wait => format!("pg_advisory_xact_lock({key}) IS NOT NULL"),
    };
    let sql = format!(
        "WITH turn AS MATERIALIZED (SELECT {lock} AS mine), \
         new AS MATERIALIZED (SELECT ctid AS place, written FROM sprongus_events WHERE (SELECT mine FROM turn) \
         AND position IS NULL AND written > (SELECT {START}) ORDER BY written LIMIT {BATCH} FOR UPDATE SKIP LOCKED), \
         last AS MATERIALIZED (SELECT {LAST} AS position WHERE (SELECT mine FROM turn)), \
         given AS (UPDATE sprongus_events AS e SET position = last.position + nth FROM last, (SELECT place, \
         row_number() OVER (ORDER BY written) AS nth FROM new) AS numbered WHERE e.ctid = numbered.place \
         RETURNING e.position, e.written) \
         SELECT (SELECT mine FROM turn), count(*), max(written), txid_current_snapshot()::text, \
         coalesce(setval('sprongus_positions', max(position)), (SELECT position FROM last)), txid_current_if_assigned() \
         FROM given"
    );
    let rows = exec.query(&sql, start)?;
    let Some(row) = rows.first() else { return Ok(None) };
    if !row.bool(0)? {
        return Ok(None);
    }
    let all = row.int(1)? < BATCH;
    let look = Look { snapshot: row.text(3)?, id: row.opt_int(5)?, last: row.opt_int(2)?, all };
    Ok(Some((look, row.int(4)?)))
}

/// SQL: the last position that was given. Not every way to move tables takes their sequences along.
const LAST: &str = "greatest((SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM sprongus_positions), \
    (SELECT max(position) FROM sprongus_events))";

/// SQL: the last position that was given, on that database.
pub(super) fn last(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'sprongus_events'), 0)",
        Dialect::Postgres => LAST,
    }
}

/// SQLite: the position that the next event will have.
pub(crate) fn next_position(exec: &mut dyn Executor) -> Result<i64> {
    let rows = exec.query(&format!("SELECT 1 + {}", last(Dialect::Sqlite)), &[])?;
    rows.first().map_or(Ok(1), |row| row.int(0))
}
