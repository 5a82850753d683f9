//! Changing and removing a row.

use super::Tables;
use super::catalog::Answer;
use super::requests::{DeleteRow, UpdateRow};
use super::table::Table;
use super::value::key_of;
use crate::db::Value;
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::pointer::pointer;

impl Tables<'_> {
    pub(super) fn do_update(&self, update: &UpdateRow) -> Result<()> {
        self.session.may_write()?;
        self.on(&update.name, |table| {
            let changes = table.changes(&update.data, self.session.core().dialect()).map_err(Error::validation)?;
            let sizes = changes.iter().map(|(at, value)| (*at, value));
            table.check_size(sizes, self.session.options().max_artifact_bytes)?;
            let key = key_of(table.column(table.key), &update.id).ok_or_else(|| no_row(table))?;
            let same = |(at, value): &(usize, Value<'_>)| *at == table.key && *value == key;
            let changes: Vec<_> = changes.into_iter().filter(|one| !same(one)).collect();
            if table.is_numbered() && changes.iter().any(|(at, _)| *at == table.key) {
                return Err(number_stays(table));
            }
            if changes.is_empty() {
                return self.look(table, &key);
            }
            let set: Vec<String> =
                (2..).zip(&changes).map(|(n, (at, _))| format!("{} = ${n}", table.column_sql(*at))).collect();
            let sql = format!(
                "UPDATE {} SET {} WHERE {} = $1 AND {}",
                table.sql(),
                set.join(", "),
                table.key_sql(),
                table.current()
            );
            let params: Vec<Value<'_>> =
                std::iter::once(key.clone()).chain(changes.iter().map(|(_, value)| value.clone())).collect();
            match self.session.write_one(|work| work.execute(&sql, &params)) {
                Ok(0) => Err(no_row(table)),
                Ok(_) => Ok(Answer::Sure(())),
                Err(error) if error.code() == ErrorCode::Conflict => {
                    match self.rival_of_change(table, &key, &changes)? {
                        Some(unique) => Err(table.conflict(unique, None)),
                        None => Ok(Answer::Again),
                    }
                }
                Err(error) => Err(error),
            }
        })
    }

    /// Whether there is a row of that key.
    fn look(&self, table: &Table, key: &Value<'_>) -> Result<Answer<()>> {
        let sql = format!("SELECT {} FROM {} WHERE {} = $1", table.current(), table.sql(), table.key_sql());
        match self.session.read(|exec| exec.query(&sql, std::slice::from_ref(key)))?.first() {
            Some(row) if row.bool(0)? => Ok(Answer::Sure(())),
            Some(_) => Ok(Answer::Again),
            None => Err(no_row(table)),
        }
    }

    pub(super) fn do_delete(&self, delete: &DeleteRow) -> Result<()> {
        self.session.may_write()?;
        self.on(&delete.name, |table| {
            let key = key_of(table.column(table.key), &delete.id).ok_or_else(|| no_row(table))?;
            let sql = format!("DELETE FROM {} WHERE {} = $1 AND {}", table.sql(), table.key_sql(), table.current());
            match self.session.write_one(|work| work.execute(&sql, std::slice::from_ref(&key)))? {
                0 => Err(no_row(table)),
                _ => Ok(Answer::Sure(())),
            }
        })
    }
}

fn no_row(table: &Table) -> Error {
    Error::not_found(format!("the table {} has no row of that id", table.schema.name))
}

fn number_stays(table: &Table) -> Error {
    let path = pointer([table.column(table.key).name.as_str()]);
    let message = "a row keeps the number it was given; insert another row instead";
    Error::validation(vec![Violation::new(path, "autoIncrement", message)])
}
