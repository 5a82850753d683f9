//! One SQLite connection as an [`Executor`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Statement;

use super::declared::Declared;
use super::errors::from_sqlite;
use super::load;
use super::opened::Opened;
use super::patience::Patience;
use super::texts::{self, Texts};
use super::values::{bind, shaped, stored};
use super::wal::WalWatch;
use crate::db::{Commit, Connection, Dialect, Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::fork::{Visit, visit};

/// A connection of ours, with what its calls need beside it.
pub(super) struct SqliteConnection {
    pub(super) raw: rusqlite::Connection,
    /// Dropped after the connection itself.
    #[allow(dead_code)] // it is there to be dropped
    pub(super) opened: Option<Opened>,
    pub(super) patience: Arc<Patience>,
    pub(super) wal: Option<WalWatch>,
    pub(super) texts: Texts,
    pub(super) waited: Duration,
    /// A COMMIT failed or a rollback could not be done: not to be used again.
    pub(super) broken: bool,
    /// Its log was replaced under it: the store is not to be written again.
    pub(super) split: bool,
    /// The next transaction need not be on the disk when its commit returns; asked for by each anew.
    pub(super) eases: bool,
    /// It is set so that none is, for the last one eased.
    pub(super) eased: bool,
    /// Lets the authorizer pass the ATTACH inside VACUUM INTO.
    pub(super) vacuuming: Arc<AtomicBool>,
    /// Dropped last: closing a connection is a visit too.
    pub(super) closing: Option<Visit>,
}

impl Drop for SqliteConnection {
    fn drop(&mut self) {
        self.closing = Some(visit());
    }
}

impl SqliteConnection {
    pub(super) fn by(&mut self, deadline: Instant, waited: Duration) {
        self.patience.until(deadline);
        self.waited = waited;
    }

    /// Lets a reader fill temporary tables, and the host interrupt it; its file it cannot write, for it was opened so.
    pub(super) fn make_scratch(&self) -> Result<()> {
        let _visit = visit();
        self.patience.heed(true);
        self.raw.pragma_update(None, "query_only", 0).map_err(from_sqlite)
    }

    /// Copies the database into that file, which is empty. Of the copy alone is anything written, by readers too.
    pub(super) fn copy_into(&mut self, path: &str) -> Result<()> {
        let visit = visit();
        self.raw.pragma_update(None, "query_only", 0).map_err(from_sqlite)?;
        drop(visit);
        self.vacuuming.store(true, Ordering::Release);
        let result = self.execute("VACUUM INTO $1", &[path.into()]).map(drop);
        self.vacuuming.store(false, Ordering::Release);
        result
    }
}

impl Executor for SqliteConnection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        execute(&self.raw, sql, params, &mut self.texts)
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        query(&self.raw, sql, params, &mut self.texts)
    }

    fn query_host(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        // One that writes would take its whole transaction with it.
        let visit = visit();
        let reads = self.raw.prepare_cached(sql).is_ok_and(|statement| statement.readonly());
        drop(visit);
        self.patience.heed(reads);
        let rows = query_host(&self.raw, sql, params);
        self.patience.heed(false);
        rows
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        let _visit = visit();
        self.raw.execute_batch(sql).map_err(from_sqlite)
    }

    fn load(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
    ) -> Result<u64> {
        load::all(&self.raw, table, columns, rows)
    }

    fn load_new(&mut self, table: &str, columns: &[&str], rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        load::new(&self.raw, table, columns, rows)
    }
}

impl Connection for SqliteConnection {
    fn begin(&mut self, write: bool) -> Result<()> {
        let eases = std::mem::take(&mut self.eases);
        if eases != self.eased {
            // Only without a transaction does it count, and from the next one on.
            self.batch(if eases { "PRAGMA synchronous = NORMAL" } else { "PRAGMA synchronous = FULL" })?;
            self.eased = eases;
        }
        let begun = self.execute(if write { "BEGIN IMMEDIATE" } else { "BEGIN DEFERRED" }, &[]);
        begun.map(drop).map_err(|error| self.patience.explain(error))
    }

    fn commit(&mut self) -> Result<Commit> {
        if let Err(error) = self.execute("COMMIT", &[]) {
            if !self.raw.is_autocommit() {
                // Refused (a deferred foreign key), and the transaction is still open: a definite no.
                self.rollback();
                return Err(error);
            }
            self.broken = true;
            return Ok(Commit::Unknown(error));
        }
        match self.wal.as_mut().map(WalWatch::check) {
            Some(Err(error)) => {
                self.broken = true;
                self.split = true;
                Err(error)
            }
            _ => Ok(Commit::Done),
        }
    }

    fn rollback(&mut self) {
        // SQLite rolls back by itself on a full disk or an I/O error.
        if !self.raw.is_autocommit() && self.execute("ROLLBACK", &[]).is_err() {
            self.broken = true;
        }
    }

    fn waited(&self) -> Duration {
        self.waited
    }
}

/// Runs a statement to its end, whether or not it gives rows; the number of rows it changed.
pub(super) fn execute(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Value<'_>],
    texts: &mut Texts,
) -> Result<u64> {
    let _visit = visit();
    // For DDL, SQLite's `changes()` is still that of the statement before.
    let before = connection.total_changes();
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let text = texts.of(sql, &statement);
    bind(&mut statement, text.parameters(), params)?;
    let mut rows = statement.raw_query();
    let mut given = 0;
    while rows.next().map_err(from_sqlite)?.is_some() {
        given += 1;
    }
    drop(rows);
    match connection.total_changes() == before {
        true if statement.readonly() => Ok(given),
        true => Ok(0),
        false => Ok(connection.changes()),
    }
}

/// Runs a statement of ours and reads all its rows, so that none stays open across a call.
pub(super) fn query(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Value<'_>],
    texts: &mut Texts,
) -> Result<Vec<Row>> {
    let _visit = visit();
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let text = texts.of(sql, &statement);
    bind(&mut statement, text.parameters(), params)?;
    let mut rows = statement.raw_query();
    let (mut columns, mut all) = (None, Vec::new());
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        // Asked after the first step: that is when SQLite sees that a table has changed since the statement was prepared.
        let columns: &Arc<[String]> = columns.get_or_insert_with(|| text.columns(row.as_ref()));
        let mut values = Vec::with_capacity(columns.len());
        for index in 0..columns.len() {
            values.push(stored(row.get_ref(index).map_err(from_sqlite)?)?);
        }
        all.push(Row::new(columns.clone(), values));
    }
    Ok(all)
}

/// The same with a statement of the host's, in the shapes that its columns were declared with.
pub(super) fn query_host(connection: &rusqlite::Connection, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
    let _visit = visit();
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let parameters = texts::parameters(&statement);
    bind(&mut statement, &parameters, params)?;
    let mut rows = statement.raw_query();
    let (mut shape, mut all) = (None, Vec::new());
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let (columns, declared) = shape.get_or_insert_with(|| (texts::columns(row.as_ref()), declared(row.as_ref())));
        let shaped =
            |(index, declared): (usize, &Declared)| shaped(row.get_ref(index).map_err(from_sqlite)?, *declared);
        let values = declared.iter().enumerate().map(shaped).collect::<Result<_>>()?;
        all.push(Row::new(columns.clone(), values));
    }
    Ok(all)
}

/// What the columns were declared as.
fn declared(statement: &Statement<'_>) -> Vec<Declared> {
    statement.columns().map(|column| Declared::parse(column.decl_type())).collect()
}

/// Refuses a statement that writes where only reading is meant.
pub(super) fn must_read(connection: &rusqlite::Connection, sql: &str) -> Result<()> {
    let _visit = visit();
    let statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    if statement.readonly() {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidArgument,
        "query() only reads; use execute() or a transaction for a statement that writes",
    ))
}
