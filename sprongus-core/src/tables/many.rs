//! Inserting rows by the fastest way there is, all or none.

use super::Tables;
use super::catalog::Answer;
use super::new_row::NewRow;
use super::numbers;
use super::requests::InsertedMany;
use super::row::Cells;
use super::table::Table;
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::id::NewIds;
use crate::session::Work;

/// The most violations that are told of.
const MAX_VIOLATIONS: usize = 1_000;

impl Tables<'_> {
    pub(super) fn do_insert_many(&self, name: &str, rows: &[Cells]) -> Result<InsertedMany> {
        self.session.may_write()?;
        self.on(name, |table| {
            if rows.is_empty() {
                return Ok(Answer::IfCurrent(InsertedMany::default()));
            }
            let rows = self.judge_all(table, rows)?;
            match self.session.write_bulk(|work| load(work, table, &rows)) {
                Ok(Some(ids)) => Ok(Answer::Sure(InsertedMany { ids })),
                Ok(None) => Ok(Answer::Again),
                Err(error) if error.code() == ErrorCode::Conflict => match self.rival_of_any(table, &rows)? {
                    Some((row, unique)) => Err(table.conflict(unique, Some(row))),
                    None => self.make_way(table).map(|()| Answer::Again),
                },
                Err(lost) if lost.code() == ErrorCode::OutcomeUnknown => match self.all_there(table, &rows) {
                    Ok(true) => Ok(Answer::Sure(InsertedMany { ids: ids(table, &rows) })),
                    _ => Err(lost),
                },
                Err(error) => Err(error),
            }
        })
    }

    fn judge_all<'c>(&self, table: &Table, rows: &'c [Cells]) -> Result<Vec<NewRow<'c>>> {
        let (dialect, max) = (self.session.core().dialect(), self.session.options().max_artifact_bytes);
        let (mut judged, mut violations) = (Vec::with_capacity(rows.len()), Vec::new());
        let mut new_ids = NewIds::new();
        for (number, cells) in (1..).zip(rows) {
            match table.new_row(cells, dialect, || new_ids.next()) {
                Ok(row) => {
                    table.check_size(row.values.iter().enumerate(), max).map_err(|error| in_row(error, number))?;
                    judged.push(row);
                }
                Err(found) => violations.extend(found.into_iter().map(|one| Violation { row: Some(number), ..one })),
            }
            if violations.len() >= MAX_VIOLATIONS {
                break;
            }
        }
        if violations.is_empty() { Ok(judged) } else { Err(Error::validation(violations)) }
    }

    /// Where one id was made here, its row tells of all: they come together.
    fn all_there(&self, table: &Table, rows: &[NewRow<'_>]) -> Result<bool> {
        rows.iter().find(|row| row.made).map_or(Ok(false), |row| self.is_there(table, row))
    }
}

fn in_row(error: Error, number: u64) -> Error {
    let told = Error::new(error.code(), format!("row {number}: {}", error.message()));
    told.with_details(error.details().cloned().unwrap_or_default())
}

fn ids(table: &Table, rows: &[NewRow<'_>]) -> Vec<String> {
    rows.iter().filter_map(|row| row.id(table)).collect()
}

fn borrowed<'r>(row: &'r NewRow<'_>) -> Vec<Value<'r>> {
    row.values.iter().map(Value::borrowed).collect()
}

/// The primary keys; none where the table is another by now.
fn load(work: &mut Work<'_>, table: &Table, rows: &[NewRow<'_>]) -> Result<Option<Vec<String>>> {
    if work.dialect() == Dialect::Postgres {
        // From here on nobody can drop it.
        work.execute(&format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", table.sql()), &[])?;
    }
    let current = work.query(&format!("SELECT {}", table.current()), &[])?;
    if !current.first().map_or(Ok(false), |row| row.bool(0))? {
        return Ok(None);
    }
    let columns = table.columns_sql();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    if !table.is_numbered() {
        let mut values = rows.iter().map(|row| Ok(borrowed(row)));
        work.exec().load(&table.sql(), &columns, &mut values)?;
        return Ok(Some(ids(table, rows)));
    }
    let given: Vec<Option<i64>> = rows.iter().map(|row| number_of(&row.values[table.key])).collect();
    let numbers = numbers::number(work, table, &given)?;
    let mut values = rows.iter().zip(&numbers).map(|(row, number)| {
        let mut values = borrowed(row);
        values[table.key] = Value::Int(*number);
        Ok(values)
    });
    work.exec().load(&table.sql(), &columns, &mut values)?;
    if let Some(highest) = numbers.iter().max() {
        numbers::go_on_after(work, table, *highest)?;
    }
    Ok(Some(numbers.iter().map(i64::to_string).collect()))
}

fn number_of(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}
