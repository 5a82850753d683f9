//! Prepared statements of one session, and what runs over them.

use std::sync::Arc;

use hashbrown::HashMap;
use postgres_types::Type;
use tokio_postgres::Statement;

use super::decode::{Column, readable};
use super::driver::Driver;
use super::encode::{self, Param};
use super::errors;
use super::together::{Ahead, Failed, Known, Last, Step};
use super::wire::Wire;
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
        let params: Vec<Param<'_>> = values.iter().map(Param).collect();
        let mut again = retry;
        loop {
            let (prepared, kept) = self.checked(driver, sql, values)?;
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

    /// Runs what waited, and then the last: its rows, and the number of rows it changed. Until all of it can be sent, all of
    /// it waits on.
    pub(super) fn run_all(
        &mut self,
        wire: &mut Wire,
        ahead: &mut Vec<Ahead>,
        last: Last<'_>,
        known: &mut Option<Known>,
    ) -> Result<(Vec<Row>, u64), Failed> {
        let mut prepared = Vec::with_capacity(ahead.len() + 1);
        for (at, one) in ahead.iter().enumerate() {
            prepared.push(match one {
                Ahead::Begin(_) => None,
                Ahead::Statement(sql, values) | Ahead::Expected(sql, values) => {
                    Some(self.checked(wire, sql, values).map_err(|error| (at, error))?)
                }
            });
        }
        if let Last::Statement(sql, values) = last {
            prepared.push(Some(self.checked(wire, sql, values).map_err(|error| (ahead.len(), error))?));
        }
        let ahead = std::mem::take(ahead);
        let mut steps: Vec<Step<'_>> = ahead.iter().zip(&prepared).map(|(one, prepared)| step(one, prepared)).collect();
        steps.push(match (last, prepared.last()) {
            (Last::Statement(_, values), Some(Some((last, _)))) => Step::Run(&last.statement, params(values)),
            (Last::Batch(sql) | Last::Statement(sql, _), _) => Step::Batch(sql),
        });
        let mut answers = match wire.together(&steps) {
            Err((at, error)) if is_stale(&error) && matches!(prepared.get(at), Some(Some((_, true)))) => {
                self.kept.clear();
                return Err((at, errors::outdated(&error)));
            }
            answers => answers?,
        };
        drop(steps);
        let (rows, changed) = answers.pop().unwrap_or_default();
        for (at, ((one, prepared), (rows, _))) in ahead.into_iter().zip(&prepared).zip(&answers).enumerate() {
            if let (Ahead::Expected(sql, values), Some((prepared, _))) = (one, prepared) {
                let rows = read(prepared, rows).map_err(|error| (at, error))?;
                *known = Some(Known { sql, values, rows });
            }
        }
        match (last, prepared.last()) {
            (Last::Statement(..), Some(Some((last, _)))) => {
                Ok((read(last, &rows).map_err(|error| (answers.len(), error))?, changed))
            }
            _ => Ok((Vec::new(), changed)),
        }
    }

    /// The statement, which takes those values, and whether it was prepared by an earlier call.
    fn checked(&mut self, driver: &mut impl Driver, sql: &str, values: &[Value<'_>]) -> Result<(Prepared, bool)> {
        if words::ends_transaction(sql) {
            return Err(Error::misuse("a transaction is not opened or ended by a statement, but by whoever opened it"));
        }
        loop {
            let (prepared, kept) = self.prepare(driver, sql)?;
            match encode::check(values, prepared.statement.params()) {
                Ok(()) => return Ok((prepared, kept)),
                // The types may be those of a table that has changed since.
                Err(_) if kept => drop(self.kept.remove(sql)),
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

fn params<'v>(values: &'v [Value<'v>]) -> Vec<Param<'v>> {
    values.iter().map(Param).collect()
}

fn step<'s>(one: &'s Ahead, prepared: &'s Option<(Prepared, bool)>) -> Step<'s> {
    match (one, prepared) {
        (Ahead::Statement(_, values) | Ahead::Expected(_, values), Some((prepared, _))) => {
            Step::Run(&prepared.statement, params(values))
        }
        (Ahead::Begin(sql) | Ahead::Statement(sql, _) | Ahead::Expected(sql, _), _) => Step::Batch(sql),
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
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        // Collected as results they would not be known to be so many.
        let mut values = Vec::with_capacity(row.len());
        for index in 0..row.len() {
            values.push(row.try_get::<_, Column>(index).map_err(|error| errors::from_driver(&error))?.0);
        }
        read.push(Row::new(prepared.columns.clone(), values));
    }
    Ok(read)
}
