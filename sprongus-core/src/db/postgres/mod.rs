//! PostgreSQL 12 or newer (DESIGN.md §2 "PostgreSQL").

mod async_guard;
mod calendar;
mod connection;
mod copy;
mod decode;
mod driver;
mod encode;
mod errors;
mod lent;
mod numeric;
mod pool;
mod pump;
mod settings;
mod statements;
#[cfg(test)]
mod tests;
mod url;
mod wire;
mod words;

use std::sync::{Arc, RwLock, PoisonError};
use std::time::Instant;

use self::connection::PgConnection;
use self::pool::Lender;
use super::{Connection, Executor, Lane, Row, Value};
use crate::error::{Error, ErrorCode, Result};

pub use self::lent::LentPostgres;
pub(crate) use self::errors::is_connection_lost;
pub(crate) use self::settings::{PostgresSettings, UNBOUNDED};
pub(crate) use self::url::redact;

/// The oldest server that has all we use.
const OLDEST: i64 = 120_000;

/// A PostgreSQL database: one pool for the host's calls, one for workers.
pub(crate) struct PostgresDb {
    settings: Arc<PostgresSettings>,
    lanes: RwLock<Option<Lanes>>,
}

struct Lanes {
    host: Lender,
    worker: Lender,
}

impl PostgresDb {
    /// Connects once, to refuse a server that is too old, a standby that would be written to, and an encoding that is not UTF8.
    pub(crate) fn open(url: &str, settings: PostgresSettings) -> Result<Self> {
        async_guard::check()?;
        settings.check()?;
        let config = url::parse(url, &settings)?;
        let settings = Arc::new(settings);
        let mut first = PgConnection::connect(&config, &settings, Instant::now() + settings.call_timeout)?;
        examine(&mut first, &settings)?;
        let threads = pool::threads();
        let host = Lender::new(settings.pool_size, &config, &settings, &threads, Some(first));
        let worker = Lender::new(settings.worker_pool_size, &config, &settings, &threads, None);
        Ok(Self { settings, lanes: RwLock::new(Some(Lanes { host, worker })) })
    }

    /// A clean connection by `deadline`; given back when it is dropped, rolled back, or discarded where that fails.
    pub(crate) fn connect(&self, lane: Lane, deadline: Instant) -> Result<Box<dyn Connection>> {
        let lender = {
            let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
            let lanes = lanes.as_ref().ok_or_else(|| Error::misuse("the store is closed"))?;
            match lane {
                Lane::Host => lanes.host.clone(),
                Lane::Worker => lanes.worker.clone(),
            }
        };
        Ok(Box::new(lender.lend(deadline)?))
    }

    /// Creates the schema of the options where it is missing: for the migrator, under its lock.
    pub(crate) fn ensure_schema(&self, executor: &mut dyn Executor) -> Result<()> {
        let Some(schema) = &self.settings.schema else { return Ok(()) };
        // IF NOT EXISTS alone asks for the right to create schemas even where there is nothing to do.
        let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
        if executor.query(sql, &[Value::text(schema)])?.first().is_some_and(|row| row.bool(0).unwrap_or(false)) {
            return Ok(());
        }
        executor.batch(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\""))
    }

    /// Closes idle connections now and the others when they come back; `connect` is `misuse` from here on.
    pub(crate) fn close(&self) {
        let lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(lanes);
    }
}

impl std::fmt::Debug for PostgresDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresDb").finish_non_exhaustive()
    }
}

fn examine(connection: &mut PgConnection, settings: &PostgresSettings) -> Result<()> {
    let sql = "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('server_encoding'), \
               current_setting('server_version')";
    let (rows, _) = connection.run(sql, &[])?;
    let row: &Row = rows.first().ok_or_else(|| Error::new(ErrorCode::Storage, "PostgreSQL did not say its version"))?;
    if row.int(0)? < OLDEST {
        return Err(Error::new(ErrorCode::Unsupported, format!("PostgreSQL {} is too old: 12 or newer is needed", row.text(3)?)));
    }
    if row.bool(1)? && !settings.read_only {
        return Err(Error::new(ErrorCode::Unsupported, "this server is a read-only standby: name the primary, or open read-only"));
    }
    if row.text(2)? != "UTF8" {
        let message = format!("the database's encoding is {}: create it with ENCODING 'UTF8'", row.text(2)?);
        return Err(Error::new(ErrorCode::Unsupported, message));
    }
    Ok(())
}
