//! The numbers of an auto_increment column: from 1 upwards, on after a number that was given, none twice.
//!
//! SQLite's AUTOINCREMENT does all of it. PostgreSQL's sequence is told of numbers that were given; as it can only be set, not
//! raised, nobody else may number rows at that moment. A number whose row came to nothing is passed over there.

use super::table::Table;
use crate::db::{Dialect, Executor};
use crate::error::{Error, ErrorCode, Result};
use crate::session::Work;

/// The next number, as it stands in SQL.
pub(super) fn next(table: &Table, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => "NULL".to_owned(),
        Dialect::Postgres => format!("nextval('{}')", table.sequence()),
    }
}

/// Whether the sequence would still come to that number.
fn is_ahead(work: &mut Work<'_>, table: &Table, number: i64) -> Result<bool> {
    let sequence = table.sequence();
    let sql = format!("SELECT 1 FROM {sequence} WHERE last_value < $1 OR (last_value = $1 AND NOT is_called)");
    Ok(!work.query(&sql, &[number.into()])?.is_empty())
}

/// Keeps others from numbering rows until the end of the transaction, where the sequence will have to be set.
pub(super) fn keep_clear(work: &mut Work<'_>, table: &Table, number: i64) -> Result<()> {
    if is_ahead(work, table, number)? {
        work.execute(&alone(table), &[])?;
    }
    Ok(())
}

/// Sets the sequence so that it goes on after that number, if it would come to it; nobody else may be numbering rows. Not
/// before the row is there: no rollback takes it back.
pub(super) fn go_on_after(work: &mut Work<'_>, table: &Table, number: i64) -> Result<()> {
    if work.dialect() == Dialect::Postgres && is_ahead(work, table, number)? {
        work.query(&format!("SELECT setval('{}', $1)", table.sequence()), &[number.into()])?;
    }
    Ok(())
}

/// Goes on after every number that is in the table.
pub(super) fn go_on_after_all(work: &mut Work<'_>, table: &Table) -> Result<()> {
    work.execute(&alone(table), &[])?;
    match highest(work.exec(), table)? {
        Some(number) if number > 0 => go_on_after(work, table, number),
        _ => Ok(()),
    }
}

/// Numbers rows in their order, those that bring a number included: what each of them has. Once they are there, the sequence
/// is to [`go_on_after`] the highest.
pub(super) fn number(work: &mut Work<'_>, table: &Table, given: &[Option<i64>]) -> Result<Vec<i64>> {
    if work.dialect() == Dialect::Sqlite {
        let last = last_of_sqlite(work.exec(), table)?;
        return in_order(table, given, last);
    }
    if given.iter().all(Option::is_none) {
        let count = i64::try_from(given.len()).unwrap_or(i64::MAX);
        let sql = format!("SELECT nextval('{}') FROM generate_series(1, $1::bigint)", table.sequence());
        let rows = work.query(&sql, &[count.into()]).map_err(|error| exhausted(error, table))?;
        return rows.iter().map(|row| row.int(0)).collect();
    }
    work.execute(&alone(table), &[])?;
    let sql = format!("SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {}", table.sequence());
    let last = work.query(&sql, &[])?.first().map_or(Ok(0), |row| row.int(0))?;
    in_order(table, given, last)
}

fn in_order(table: &Table, given: &[Option<i64>], mut last: i64) -> Result<Vec<i64>> {
    let number = |given: &Option<i64>| {
        let number = given.map_or_else(|| last.checked_add(1).ok_or_else(|| used_up(table)), Ok)?;
        last = last.max(number);
        Ok(number)
    };
    given.iter().map(number).collect()
}

fn last_of_sqlite(exec: &mut dyn Executor, table: &Table) -> Result<i64> {
    let rows = exec.query("SELECT seq FROM sqlite_sequence WHERE name = $1", &[(&table.schema.name).into()])?;
    let before = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(highest(exec, table)?.map_or(before, |highest| highest.max(before)))
}

/// Waits until nobody else has written rows of the table, and keeps them from it until the end of the transaction.
fn alone(table: &Table) -> String {
    format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table.sql())
}

/// The highest number in the table.
pub(super) fn highest(exec: &mut dyn Executor, table: &Table) -> Result<Option<i64>> {
    let rows =
        exec.query(&format!("SELECT max({}) FROM {} WHERE {}", table.key_sql(), table.sql(), table.current()), &[])?;
    rows.first().map_or(Ok(None), |row| row.opt_int(0))
}

/// PostgreSQL's own error of a sequence at its end (2200H) as the one of both databases.
pub(super) fn exhausted(error: Error, table: &Table) -> Error {
    let state = error.details().and_then(|details| details["sqlstate"].as_str());
    if state == Some("2200H") { used_up(table) } else { error }
}

/// `storage_full`: the highest number there is has been given.
pub(super) fn used_up(table: &Table) -> Error {
    let (name, key) = (&table.schema.name, &table.column(table.key).name);
    let message = format!("{name}.{key} has no number left: the highest there is, 2^63-1, was given");
    Error::new(ErrorCode::StorageFull, message)
}
