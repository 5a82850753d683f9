//! A transaction of the host's own, on a connection of its own.

use std::io::Write;

use postgres::fallible_iterator::FallibleIterator;
use postgres::{Statement, Transaction};

use super::driver::{Chunks, Driver};
use super::encode::Param;
use super::statements::Statements;
use super::{async_guard, copy, errors};
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;

/// Our operations inside a transaction that the host opened and will end (DESIGN.md §2 "The host's own transaction").
///
/// Borrows the transaction; dropping this neither commits nor rolls back. An error of the database's leaves the transaction
/// in the failed state PostgreSQL gives it: wrap calls that may fail in a savepoint.
///
/// ```no_run
/// use sprongus::db::{Executor, LentPostgres, Value};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut client = postgres::Client::connect("postgres://localhost/app", postgres::NoTls)?;
/// let mut transaction = client.transaction()?;
/// LentPostgres::new(&mut transaction).execute("UPDATE orders SET paid = $1", &[Value::Bool(true)])?;
/// transaction.commit()?;
/// # Ok(())
/// # }
/// ```
pub struct LentPostgres<'a, 'c> {
    session: Lent<'a, 'c>,
    statements: Statements,
}

impl<'a, 'c> LentPostgres<'a, 'c> {
    /// Borrows an open transaction.
    pub fn new(transaction: &'a mut Transaction<'c>) -> Self {
        Self { session: Lent(transaction), statements: Statements::new(true) }
    }
}

impl std::fmt::Debug for LentPostgres<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LentPostgres").finish_non_exhaustive()
    }
}

impl Executor for LentPostgres<'_, '_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.statements.run(&mut self.session, sql, params, false).map(|(_, changed)| changed)
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.statements.run(&mut self.session, sql, params, false).map(|(rows, _)| rows)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.session.batch(sql)
    }

    fn load(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
    ) -> Result<u64> {
        copy::load(&mut self.session, &mut self.statements, table, columns, rows)
    }
}

/// The host's transaction as a driver.
struct Lent<'a, 'c>(&'a mut Transaction<'c>);

impl Driver for Lent<'_, '_> {
    fn prepare(&mut self, sql: &str) -> Result<Statement> {
        async_guard::check()?;
        self.0.prepare(sql).map_err(|error| errors::from_driver(&error))
    }

    fn run(&mut self, statement: &Statement, params: &[Param<'_>]) -> Result<(Vec<postgres::Row>, u64)> {
        async_guard::check()?;
        let mut answer = self.0.query_raw(statement, params).map_err(|error| errors::from_driver(&error))?;
        let mut rows = Vec::new();
        while let Some(row) = answer.next().map_err(|error| errors::from_driver(&error))? {
            rows.push(row);
        }
        Ok((rows, answer.rows_affected().unwrap_or(0)))
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        async_guard::check()?;
        self.0.batch_execute(sql).map_err(|error| errors::from_driver(&error))
    }

    fn copy_in(&mut self, sql: &str, chunks: &mut Chunks<'_>) -> Result<u64> {
        async_guard::check()?;
        let mut writer = self.0.copy_in(sql).map_err(|error| errors::from_driver(&error))?;
        while let Some(chunk) = chunks()? {
            writer.write_all(&chunk).map_err(|error| errors::from_io(&error))?;
        }
        writer.finish().map_err(|error| errors::from_driver(&error))
    }
}
