//! Many rows into a table.

use rusqlite::{CachedStatement, Connection, Statement};

use super::errors::from_sqlite;
use super::values::bind_at;
use crate::db::Value;
use crate::error::{Error, ErrorCode, Result};
use crate::fork::visit;

/// Rows of one statement: it begins and ends once for them, and where they come in order finds their place once.
const TOGETHER: usize = 16;

/// Bytes that are bound at once, which SQLite copies: larger rows go one by one.
const TOGETHER_BYTES: usize = 64 << 10;

/// Inserts rows, many by a statement while they are small.
pub(super) fn all(
    connection: &Connection,
    table: &str,
    columns: &[&str],
    rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
) -> Result<u64> {
    let first = visit();
    let mut many = insert(connection, table, columns, TOGETHER)?;
    let mut one = insert(connection, table, columns, 1)?;
    drop(first);
    let (mut written, mut bytes, mut some) = (0, 0, Vec::with_capacity(TOGETHER));
    loop {
        // The rows come from elsewhere, and may take their time.
        let row = rows.next().transpose()?;
        let last = row.is_none();
        if let Some(row) = row {
            bytes += row.iter().map(size).sum::<usize>();
            some.push(row);
        }
        if !(last || some.len() == TOGETHER || bytes > TOGETHER_BYTES) {
            continue;
        }
        let _visit = visit();
        match some.len() == TOGETHER && bytes <= TOGETHER_BYTES {
            true => execute(&mut many, &some, columns.len())?,
            false => some.chunks(1).try_for_each(|row| execute(&mut one, row, columns.len()))?,
        }
        written += some.len() as u64;
        if last {
            drop((many, one));
            return Ok(written);
        }
        some.clear();
        bytes = 0;
    }
}

/// How much of it is not of a fixed size.
fn size(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Decimal(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        _ => 0,
    }
}

fn execute(statement: &mut Statement<'_>, rows: &[Vec<Value<'_>>], columns: usize) -> Result<()> {
    let mut number = 0;
    for row in rows {
        if row.len() != columns {
            return Err(Error::invalid(format!("the row has {} values, the table takes {columns}", row.len())));
        }
        for value in row {
            number += 1;
            bind_at(statement, number, value)?;
        }
    }
    statement.raw_execute().map_err(from_sqlite).map(drop)
}

/// Inserts rows whose key is not there yet; the numbers of those whose key is.
pub(super) fn new(
    connection: &Connection,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Value<'_>>],
) -> Result<Vec<usize>> {
    let _visit = visit();
    let (mut there, mut done) = (Vec::new(), 0);
    let mut many = Group::new(insert(connection, table, columns, TOGETHER)?);
    let mut one = Group::new(insert(connection, table, columns, 1)?);
    while let Some(left) = rows.get(done..).filter(|left| !left.is_empty()) {
        let (group, some) = left.get(..TOGETHER).map_or_else(|| (&mut one, &left[..1]), |some| (&mut many, some));
        match group.execute(some) {
            Ok(()) => done += some.len(),
            Err(error) if error.code() == ErrorCode::Conflict => {
                // What stood before it is written.
                done += usize::try_from(connection.changes()).unwrap_or_default();
                there.push(done);
                done += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}

/// A row that cannot be written leaves those before it, of one statement too.
fn insert<'c>(connection: &'c Connection, table: &str, columns: &[&str], rows: usize) -> Result<CachedStatement<'c>> {
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let sql = format!("INSERT OR FAIL INTO {table} ({}) VALUES {}", columns.join(", "), vec![row; rows].join(", "));
    connection.prepare_cached(&sql).map_err(from_sqlite)
}

/// A statement, and the rows that are bound to it.
struct Group<'c, 'r> {
    statement: CachedStatement<'c>,
    bound: &'r [Vec<Value<'r>>],
}

impl<'c, 'r> Group<'c, 'r> {
    fn new(statement: CachedStatement<'c>) -> Self {
        Self { statement, bound: &[] }
    }

    /// Binds what is not bound already: most columns are the same in all rows.
    fn execute(&mut self, rows: &'r [Vec<Value<'r>>]) -> Result<()> {
        let before = std::mem::replace(&mut self.bound, rows);
        let statement: &mut Statement<'_> = &mut self.statement;
        let mut number = 0;
        for (nth, row) in rows.iter().enumerate() {
            for (column, value) in row.iter().enumerate() {
                number += 1;
                if before.get(nth).and_then(|row| row.get(column)) != Some(value) {
                    bind_at(statement, number, value)?;
                }
            }
        }
        if number != statement.parameter_count() {
            return Err(Error::invalid(format!(
                "{number} values were given, {} are taken",
                statement.parameter_count()
            )));
        }
        statement.raw_execute().map_err(from_sqlite).map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rows(ids: impl IntoIterator<Item = i64>) -> Vec<Vec<Value<'static>>> {
        ids.into_iter().map(|id| vec![Value::from("all the same"), id.into(), format!("text {id}").into()]).collect()
    }

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let table =
            "CREATE TABLE t (alike TEXT NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (alike, id)) STRICT";
        connection.execute_batch(table).unwrap();
        connection
    }

    fn stored(connection: &Connection) -> Vec<(i64, String)> {
        let mut statement =
            connection.prepare("SELECT id, text FROM t WHERE alike = 'all the same' ORDER BY id").unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn rows_that_are_there_are_named_and_all_others_written() {
        let there = [0, 5, 15, 16, 17, 40, 47, 49];
        for count in [0, 1, 15, 16, 17, 32, 50] {
            let connection = table();
            new(&connection, "t", &["alike", "id", "text"], &rows(there)).unwrap();
            connection.execute_batch("UPDATE t SET text = 'before'").unwrap();
            let named = new(&connection, "t", &["alike", "id", "text"], &rows(0..count)).unwrap();
            let expected: Vec<usize> = there.iter().filter(|id| **id < count).map(|id| *id as usize).collect();
            assert_eq!(named, expected, "of {count}");
            let written = stored(&connection).into_iter().filter(|(_, text)| text != "before");
            let expected = (0..count).filter(|id| !there.contains(id)).map(|id| (id, format!("text {id}")));
            assert!(written.eq(expected), "of {count}");
        }
    }

    #[test]
    fn one_that_cannot_be_is_an_error() {
        let connection = table();
        let columns = ["alike", "id", "text"];
        let mut wrong = rows(0..20);
        wrong[3][2] = Value::Null;
        assert_eq!(new(&connection, "t", &columns, &wrong).unwrap_err().code(), ErrorCode::Validation);
        wrong[3].pop();
        assert_eq!(new(&connection, "t", &columns, &wrong).unwrap_err().code(), ErrorCode::InvalidArgument);
        assert_eq!(new(&connection, "t", &columns, &rows([7, 7])).unwrap(), [1]);
    }
}
