//! The host's own SQLite connection, lent with its transaction open.

use send_wrapper::SendWrapper;

use super::connection::{execute, query, query_host};
use super::errors::from_sqlite;
use super::load;
use super::open::check_version;
use super::texts::Texts;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, Result};
use crate::fork::visit;

/// A host's `rusqlite::Connection` (or `Transaction`, which derefs to it) as an [`Executor`].
///
/// The host begins and commits; nothing here does. Used from the thread that lent it: `misuse` elsewhere.
pub struct LentSqlite<'c> {
    connection: SendWrapper<&'c rusqlite::Connection>,
    texts: Texts,
}

impl<'c> LentSqlite<'c> {
    /// Lends a connection on which a transaction is open.
    ///
    /// Errors: `misuse` where none is open, `unsupported` where its SQLite is older than 3.51.3.
    pub fn new(connection: &'c rusqlite::Connection) -> Result<Self> {
        check_version(rusqlite::version_number(), rusqlite::version())?;
        if connection.is_autocommit() {
            return Err(Error::misuse(
                "no transaction is open on the connection: begin one (BEGIN IMMEDIATE) before it is lent",
            ));
        }
        Ok(Self { connection: SendWrapper::new(connection), texts: Texts::default() })
    }

    fn connection(&self) -> Result<&'c rusqlite::Connection> {
        if self.connection.valid() {
            return Ok(*self.connection);
        }
        Err(Error::misuse("a lent connection is used by the thread that lent it alone"))
    }
}

impl Executor for LentSqlite<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        execute(self.connection()?, sql, params, &mut self.texts)
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        query(self.connection()?, sql, params, &mut self.texts)
    }

    fn query_host(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        query_host(self.connection()?, sql, params)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        let _visit = visit();
        self.connection()?.execute_batch(sql).map_err(from_sqlite)
    }

    fn load(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
    ) -> Result<u64> {
        load::all(self.connection()?, table, columns, rows)
    }
}
