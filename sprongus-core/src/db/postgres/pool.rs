//! The pools: r2d2 with a manager of our own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use r2d2::{ManageConnection, PooledConnection};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio_postgres::Config;

use super::async_guard;
use super::connection::PgConnection;
use super::settings::PostgresSettings;
use crate::db::pool::Pool;
use crate::db::{Commit, Connection, Dialect, Executor, Row, Value};
use crate::error::{Error, Result};

/// Makes connections for a pool, and tells which ones it may keep.
struct Manager {
    config: Config,
    settings: Arc<PostgresSettings>,
    /// The connection that was made to look at the server.
    first: Mutex<Option<PgConnection>>,
}

impl ManageConnection for Manager {
    type Connection = PgConnection;
    type Error = Error;

    fn connect(&self) -> Result<PgConnection> {
        if let Some(first) = self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(first);
        }
        PgConnection::connect(&self.config, &self.settings, Instant::now() + self.settings.call_timeout)
    }

    fn is_valid(&self, connection: &mut PgConnection) -> Result<()> {
        connection.verify()
    }

    fn has_broken(&self, connection: &mut PgConnection) -> bool {
        connection.is_spoilt()
    }
}

/// The threads in which both pools connect.
pub(super) fn threads() -> Arc<ScheduledThreadPool> {
    Arc::new(ScheduledThreadPool::builder().num_threads(2).thread_name_pattern("sprongus-pool-{}").build())
}

/// Connections of one lane.
pub(super) struct Lender(Pool<Manager>);

impl Lender {
    pub(super) fn new(
        size: u32,
        config: &Config,
        settings: &Arc<PostgresSettings>,
        threads: &Arc<ScheduledThreadPool>,
        first: Option<PgConnection>,
    ) -> Self {
        let builder = r2d2::Pool::builder()
            .thread_pool(threads.clone())
            .max_size(size.max(1))
            .test_on_check_out(true)
            .connection_timeout(settings.call_timeout.max(Duration::from_millis(1)));
        let manager = Manager { config: config.clone(), settings: settings.clone(), first: Mutex::new(first) };
        Self(Pool::new(builder, manager, settings.asked.0.clone()))
    }

    /// A clean connection by `deadline`, which then holds for its statements too where they are `bounded`.
    pub(super) fn lend(&self, deadline: Instant, bounded: bool) -> Result<Loan> {
        async_guard::check()?;
        let asked = Instant::now();
        let mut connection = self.0.lend(deadline)?;
        connection.by(bounded.then_some(deadline));
        Ok(Loan { connection, waited: asked.elapsed() })
    }
}

/// A connection on loan from its pool; given back clean, or discarded.
pub(super) struct Loan {
    connection: PooledConnection<Manager>,
    waited: Duration,
}

impl Executor for Loan {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.connection.run(sql, params).map(|(_, changed)| changed)
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
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'static>>>>,
    ) -> Result<u64> {
        self.connection.load(table, columns, rows)
    }
}

impl Connection for Loan {
    fn begin(&mut self, write: bool) -> Result<()> {
        self.connection.begin(write)
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
