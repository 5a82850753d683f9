//! SQLite: runs that are read first, and then written all by one statement.
//!
//! RETURNING would put every column of every row into a table of its own, and read it back from there.

use std::fmt::Write as _;

use super::binds::Binds;
use super::model::{COLUMNS, Run, WIDTH, read_run};
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::session::Work;

/// SQLite's own name of a row, which it finds without an index.
const ROW: &str = "rowid";

/// Runs as they stood, and where.
#[derive(Default)]
pub(super) struct Picked {
    pub(super) runs: Vec<Run>,
    /// `[ROW,…]`
    rows: String,
}

/// What [`pick`] reads.
pub(super) fn columns() -> String {
    format!("{COLUMNS}, {ROW}")
}

/// The runs that a SELECT of [`columns`] gives, but for those that are not `wanted`.
pub(super) fn pick(
    work: &mut Work<'_>,
    select: &str,
    params: &[Value<'_>],
    wanted: impl Fn(&Run) -> bool,
) -> Result<Picked> {
    let mut picked = Picked::default();
    for row in work.query(select, params)? {
        let number = row.int(WIDTH)?;
        let run = read_run(row)?;
        if wanted(&run) {
            let before = if picked.rows.is_empty() { '[' } else { ',' };
            // Writing into a string cannot fail.
            let _ = write!(picked.rows, "{before}{number}");
            picked.runs.push(run);
        }
    }
    picked.rows.push(']');
    Ok(picked)
}

/// Sets columns of all of them.
pub(super) fn write<'b>(work: &mut Work<'_>, picked: &'b Picked, sets: &str, mut binds: Binds<'b>) -> Result<()> {
    if picked.runs.is_empty() {
        return Ok(());
    }
    let rows = binds.add(Value::Json(picked.rows.as_str().into()));
    let update = Dialect::Sqlite.update();
    let sql = format!("{update} sprongus_runs SET {sets} WHERE {ROW} IN (SELECT value FROM json_each({rows}))");
    match work.execute(&sql, binds.values())? {
        written if written == picked.runs.len() as u64 => Ok(()),
        _ => Err(Error::new(ErrorCode::Corrupt, "a run that was read could not be written")),
    }
}
