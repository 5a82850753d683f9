//! PostgreSQL 12 or newer (DESIGN.md §2 "PostgreSQL").

mod alarm;
mod async_guard;
mod calendar;
mod connection;
mod copy;
mod decode;
mod driver;
mod encode;
mod errors;
mod lent;
mod nudge;
mod numeric;
mod pool;
mod pump;
mod settings;
mod statements;
#[cfg(test)]
mod tests;
mod together;
mod url;
mod watch;
mod wire;
mod words;

use std::sync::Arc;
use std::time::Instant;

use self::connection::PgConnection;
use self::pool::Lender;
use self::watch::ServerWatcher;
use super::watch::Watcher;
use super::{Connection, Lane, Row, Seat};
use crate::error::{Error, ErrorCode, Result};

pub(crate) use self::errors::is_connection_lost;
pub use self::errors::postgres_error;
pub use self::lent::LentPostgres;
pub(crate) use self::settings::{Asked, PostgresSettings, UNBOUNDED};
pub(crate) use self::url::redact;

/// The oldest server that has all we use.
const OLDEST: i64 = 120_000;

/// A PostgreSQL database: one pool for the host's calls, two for workers.
///
/// Dropped, it closes idle connections at once and those on loan when they come back.
pub(crate) struct PostgresDb {
    host: Lender,
    worker: Lender,
    watcher: Arc<ServerWatcher>,
    leases: Lender,
}

impl PostgresDb {
    /// Connects once, to refuse a server that is too old, a standby that would be written to, and an encoding that is not UTF8.
    pub(crate) fn open(url: &str, settings: PostgresSettings) -> Result<Self> {
        async_guard::check()?;
        settings.check()?;
        let config = url::parse(url, &settings)?;
        let settings = Arc::new(settings);
        let watcher = Arc::new(ServerWatcher::new(&config, &settings)?);
        let mut first = PgConnection::connect(&config, &settings, Instant::now() + settings.call_timeout)?;
        examine(&mut first, &settings)?;
        let host = Lender::new(settings.pool_size, &config, &settings, Some(first));
        let worker = Lender::new(settings.worker_pool_size, &config, &settings, None);
        let leases = Lender::new(1, &config, &settings, None);
        Ok(Self { host, worker, leases, watcher })
    }

    /// A clean connection by `deadline`; given back when it is dropped, rolled back, or discarded where that fails.
    pub(crate) fn connect(&self, seat: Seat<'_>, deadline: Instant) -> Result<Box<dyn Connection>> {
        self.lend(seat, deadline, false)
    }

    /// The same, for one call: its statements too end by the deadline.
    pub(crate) fn connect_until(&self, seat: Seat<'_>, deadline: Instant) -> Result<Box<dyn Connection>> {
        self.lend(seat, deadline, true)
    }

    /// What watches for the commits of others.
    pub(crate) fn watcher(&self) -> Arc<dyn Watcher> {
        self.watcher.clone()
    }

    fn lend(&self, seat: Seat<'_>, deadline: Instant, bounded: bool) -> Result<Box<dyn Connection>> {
        let lender = match seat.lane {
            Lane::Host => &self.host,
            Lane::Worker => &self.worker,
            Lane::Leases => &self.leases,
        };
        Ok(Box::new(lender.lend(deadline, bounded, seat.project)?))
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
        return Err(Error::new(
            ErrorCode::Unsupported,
            format!("PostgreSQL {} is too old: 12 or newer is needed", row.text(3)?),
        ));
    }
    if row.bool(1)? && !settings.read_only {
        return Err(Error::new(
            ErrorCode::Unsupported,
            "this server is a read-only standby: name the primary, or open read-only",
        ));
    }
    if row.text(2)? != "UTF8" {
        let message = format!("the database's encoding is {}: create it with ENCODING 'UTF8'", row.text(2)?);
        return Err(Error::new(ErrorCode::Unsupported, message));
    }
    Ok(())
}
