//! Inserting a row.

use super::Tables;
use super::catalog::Answer;
use super::new_row::NewRow;
use super::numbers;
use super::requests::{InsertRow, Inserted};
use super::table::Table;
use super::value::id_of;
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::id::new_id;
use crate::session::Work;

impl Tables<'_> {
    pub(super) fn do_insert(&self, insert: &InsertRow) -> Result<Inserted> {
        self.session.may_write()?;
        self.on(&insert.name, |table| {
            let row = table.new_row(&insert.row, self.session.core().dialect(), new_id).map_err(Error::validation)?;
            table.check_size(row.values.iter().enumerate(), self.session.options().max_artifact_bytes)?;
            match self.insert_one(table, &row) {
                Ok(Some(id)) => Ok(Answer::Sure(Inserted { id })),
                Ok(None) => match self.rival_of(table, &row.values)? {
                    Some(unique) => Err(table.conflict(unique, None)),
                    None => self.make_way(table).map(|()| Answer::Again),
                },
                Err(lost) if lost.code() == ErrorCode::OutcomeUnknown && row.made => {
                    self.settle(table, &row, lost).map(|id| Answer::Sure(Inserted { id }))
                }
                Err(error) => Err(error),
            }
        })
    }

    /// After a COMMIT without an answer: nobody else can have made a row of that id, so it may be inserted once more.
    fn settle(&self, table: &Table, row: &NewRow<'_>, lost: Error) -> Result<String> {
        let id = row.id(table).unwrap_or_default();
        if self.is_there(table, row)? {
            return Ok(id);
        }
        match self.insert_one(table, row) {
            Ok(Some(id)) => Ok(id),
            _ if matches!(self.is_there(table, row), Ok(true)) => Ok(id),
            _ => Err(lost),
        }
    }

    /// The primary key as text; none where a row is in the way, or the table is another by now.
    fn insert_one(&self, table: &Table, row: &NewRow<'_>) -> Result<Option<String>> {
        let number = row.values[table.key].clone();
        if let (true, Dialect::Postgres, Value::Int(number)) =
            (table.is_numbered(), self.session.core().dialect(), &number)
        {
            return self.session.write(|work| {
                numbers::keep_clear(work, table, *number)?;
                let id = insert(work, table, row)?;
                if id.is_some() {
                    numbers::go_on_after(work, table, *number)?;
                }
                Ok(id)
            });
        }
        let inserted = self.session.write_one(|work| insert(work, table, row));
        inserted.map_err(|error| if self.is_used_up(table, row, &error) { numbers::used_up(table) } else { error })
    }

    /// What the host wrote by itself may stand where the next number leads.
    pub(super) fn make_way(&self, table: &Table) -> Result<()> {
        match (table.is_numbered(), self.session.core().dialect()) {
            (true, Dialect::Postgres) => self.session.write(|work| numbers::go_on_after_all(work, table)),
            _ => Ok(()),
        }
    }

    /// SQLite says that the disk is full where it has no number left.
    fn is_used_up(&self, table: &Table, row: &NewRow<'_>, error: &Error) -> bool {
        let highest = || self.session.read(|exec| numbers::highest(exec, table));
        row.id(table).is_none() && error.code() == ErrorCode::StorageFull && matches!(highest(), Ok(Some(i64::MAX)))
    }

    pub(super) fn is_there(&self, table: &Table, row: &NewRow<'_>) -> Result<bool> {
        let sql = format!("SELECT 1 FROM {} WHERE {} = $1 AND {}", table.sql(), table.key_sql(), table.current());
        self.session.read(|exec| Ok(!exec.query(&sql, &row.values[table.key..=table.key])?.is_empty()))
    }
}

fn insert(work: &mut Work<'_>, table: &Table, row: &NewRow<'_>) -> Result<Option<String>> {
    let numbered = row.values[table.key].is_null();
    let mut params = Vec::with_capacity(row.values.len());
    let mut marks = Vec::with_capacity(row.values.len());
    for (at, value) in row.values.iter().enumerate() {
        if numbered && at == table.key {
            marks.push(numbers::next(table, work.dialect()));
            continue;
        }
        params.push(value.clone());
        marks.push(format!("${}", params.len()));
    }
    let sql = format!(
        "INSERT INTO {} ({}) SELECT {} WHERE {} ON CONFLICT DO NOTHING RETURNING {}",
        table.sql(),
        table.columns_sql().join(", "),
        marks.join(", "),
        table.current(),
        table.key_sql()
    );
    let rows = work.query(&sql, &params).map_err(|error| numbers::exhausted(error, table))?;
    Ok(rows.into_iter().next().and_then(|row| id_of(row.values().first()?)))
}
