//! What the pools lend.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Config;

use super::async_guard;
use super::connection::PgConnection;
use super::settings::PostgresSettings;
use crate::db::pool::{Lent, Manage, Pool};
use crate::db::{Commit, Connection, Dialect, Executor, Row, Value};
use crate::error::Result;

/// Makes connections for a pool, and tells which ones it may keep.
struct Manager {
    config: Config,
    settings: Arc<PostgresSettings>,
}

impl Manage for Manager {
    type Connection = PgConnection;

    fn connect(&self, by: Instant) -> Result<PgConnection> {
        PgConnection::connect(&self.config, &self.settings, by)
    }

    fn is_alive(&self, connection: &mut PgConnection) -> bool {
        connection.verify().is_ok()
    }

    fn is_clean(&self, connection: &mut PgConnection) -> bool {
        !connection.is_spoilt()
    }
}

/// Connections of one lane.
pub(super) struct Lender(Pool<Manager>);

impl Lender {
    pub(super) fn new(
        size: u32,
        config: &Config,
        settings: &Arc<PostgresSettings>,
        first: Option<PgConnection>,
    ) -> Self {
        let manager = Manager { config: config.clone(), settings: settings.clone() };
        Self(Pool::new(manager, size, settings.asked.0.clone(), first))
    }

    /// A clean connection by `deadline`, which then holds for its statements too where they are `bounded`; of that project,
    /// where row-level security is to show no other.
    pub(super) fn lend(&self, deadline: Instant, bounded: bool, project: Option<&str>) -> Result<Loan> {
        async_guard::check()?;
        let asked = Instant::now();
        let mut connection = self.0.lend(deadline)?;
        connection.by(bounded.then_some(deadline));
        connection.of(project);
        Ok(Loan { connection, waited: asked.elapsed() })
    }
}

/// A connection on loan from its pool; given back clean, or discarded.
pub(super) struct Loan {
    connection: Lent<Manager>,
    waited: Duration,
}

impl Executor for Loan {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.connection.run(sql, params).map(|(_, changed)| changed)
    }

    fn execute_soon(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        self.connection.run_soon(sql, params, false)
    }

    fn expect(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        self.connection.expect(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.connection.run(sql, params).map(|(rows, _)| rows)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.connection.batch(sql)
    }

    fn load(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
    ) -> Result<u64> {
        self.connection.load(table, columns, rows)
    }
}

impl Connection for Loan {
    fn begin(&mut self, write: bool) -> Result<()> {
        self.connection.begin(write)
    }

    fn begin_soon(&mut self) -> Result<()> {
        self.connection.begin_soon()
    }

    fn commit(&mut self) -> Result<Commit> {
        self.connection.commit()
    }

    fn rollback(&mut self) {
        self.connection.rollback();
    }

    fn waited(&self) -> Duration {
        self.waited
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // Where it must not block, an open transaction ends with the connection.
        if async_guard::check().is_ok() {
            self.connection.rollback();
        }
    }
}
