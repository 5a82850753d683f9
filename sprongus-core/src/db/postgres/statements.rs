//! Prepared statements of one session, and what runs over them.

use std::sync::Arc;

use hashbrown::HashMap;
use postgres_types::Type;
use tokio_postgres::Statement;

use super::decode::{Column, readable};
use super::driver::Driver;
use super::encode::{self, Param};
use super::errors;
use super::words::{self, Marks};
use crate::db::{Row, Value, is_outdated};
use crate::error::{Error, ErrorCode, Result};

/// Enough for every statement of ours and the host's usual ones.
const CAPACITY: usize = 256;

/// A statement as the server knows it, under the names its own columns have.
#[derive(Clone)]
struct Prepared {
    statement: Statement,
    columns: Arc<[String]>,
    marks: Marks,
}

/// The statements of one session that are kept prepared; none where a pooler may change the session under us.
pub(super) struct Statements {
    kept: HashMap<String, (Prepared, u64)>,
    capacity: usize,
    uses: u64,
}

impl Statements {
    pub(super) fn new(keep: bool) -> Self {
        Self { kept: HashMap::new(), capacity: if keep { CAPACITY } else { 0 }, uses: 0 }
    }

    /// What a statement leaves in its session: looked for once where it is kept, for every statement passes here.
    pub(super) fn marks(&self, sql: &str) -> Marks {
        self.kept.get(sql).map_or_else(|| Marks::of(sql), |(prepared, _)| prepared.marks)
    }

    /// Runs one statement: its rows, and the number of rows it changed. `retry` where no transaction is open.
    pub(super) fn run(
        &mut self,
        driver: &mut impl Driver,
        sql: &str,
        values: &[Value<'_>],
        retry: bool,
    ) -> Result<(Vec<Row>, u64)> {
        if words::ends_transaction(sql) {
            return Err(Error::misuse("a transaction is not opened or ended by a statement, but by whoever opened it"));
        }
        let params: Vec<Param<'_>> = values.iter().map(Param).collect();
        let mut again = retry;
        loop {
            let (prepared, kept) = self.prepare(driver, sql)?;
            let checked = encode::check(values, prepared.statement.params());
            if kept && checked.is_err() {
                // The types may be those of a table that has changed since.
                self.kept.remove(sql);
                continue;
            }
            checked?;
            match driver.run(&prepared.statement, &params) {
                Ok((rows, changed)) => return Ok((read(&prepared, &rows)?, changed)),
                Err(error) if kept && is_stale(&error) => {
                    // Whatever changed a table under one statement may have changed it under all.
                    self.kept.clear();
                    if !std::mem::take(&mut again) {
                        return Err(errors::outdated(&error));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The types of those columns, for COPY has none of its own.
    pub(super) fn types_of(&mut self, driver: &mut impl Driver, table: &str, columns: &str) -> Result<Vec<Type>> {
        let statement = driver.prepare(&format!("SELECT {columns} FROM {table}"))?;
        Ok(statement.columns().iter().map(|column| column.type_().clone()).collect())
    }

    /// The statement, and whether it was prepared by an earlier call.
    fn prepare(&mut self, driver: &mut impl Driver, sql: &str) -> Result<(Prepared, bool)> {
        self.uses += 1;
        if let Some((prepared, used)) = self.kept.get_mut(sql) {
            *used = self.uses;
            return Ok((prepared.clone(), true));
        }
        let prepared = prepare(driver, sql)?;
        if self.capacity > 0 {
            self.make_room();
            self.kept.insert(sql.to_owned(), (prepared.clone(), self.uses));
        }
        Ok((prepared, false))
    }

    fn make_room(&mut self) {
        if self.kept.len() < self.capacity {
            return;
        }
        let oldest = self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(sql, _)| sql.clone());
        if let Some(sql) = oldest {
            self.kept.remove(&sql);
        }
    }
}

/// A statement that the server no longer has, or whose types may not be those of the tables any more ("column is of type
/// bigint but expression is of type text").
fn is_stale(error: &Error) -> bool {
    let state = errors::sqlstate(error).unwrap_or_default();
    is_outdated(error) || state == "26000" || state.starts_with("42")
}

fn prepare(driver: &mut impl Driver, sql: &str) -> Result<Prepared> {
    let statement = driver.prepare(sql)?;
    let marks = Marks::of(sql);
    let columns: Arc<[String]> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    if statement.columns().iter().all(|column| readable(column.type_())) {
        return Ok(Prepared { statement, columns, marks });
    }
    let statement = driver.prepare(&as_text(sql, &statement)).map_err(|error| unreadable(error, &statement))?;
    Ok(Prepared { statement, columns, marks })
}

/// The same statement with the columns of other types as text.
fn as_text(sql: &str, statement: &Statement) -> String {
    let columns = statement.columns();
    let names: Vec<String> = (1..=columns.len()).map(|n| format!("c{n}")).collect();
    let wanted: Vec<String> = names
        .iter()
        .zip(columns)
        .map(|(name, column)| if readable(column.type_()) { name.clone() } else { format!("{name}::text") })
        .collect();
    let sql = sql.trim_end().trim_end_matches(';');
    format!("WITH q ({}) AS MATERIALIZED ({sql}\n) SELECT {} FROM q", names.join(", "), wanted.join(", "))
}

fn unreadable(error: Error, statement: &Statement) -> Error {
    if errors::is_connection_lost(&error) {
        return error;
    }
    let column = statement.columns().iter().find(|column| !readable(column.type_()));
    let (name, ty) = column.map_or(("?", "?"), |column| (column.name(), column.type_().name()));
    let message =
        format!("column {name} is of type {ty}, which this statement cannot return; cast it to text in the statement");
    Error::new(ErrorCode::Unsupported, message)
}

fn read(prepared: &Prepared, rows: &[tokio_postgres::Row]) -> Result<Vec<Row>> {
    rows.iter()
        .map(|row| {
            let values = (0..row.len()).map(|index| row.try_get::<_, Column>(index).map(|column| column.0));
            let values = values.collect::<Result<Vec<_>, _>>().map_err(|error| errors::from_driver(&error))?;
            Ok(Row::new(prepared.columns.clone(), values))
        })
        .collect()
}
