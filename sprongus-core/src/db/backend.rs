//! The database behind a store: opens it, and hands out its connections by what they are for.

use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "postgres")]
use super::postgres::{Asked, PostgresDb, PostgresSettings, UNBOUNDED, is_connection_lost, redact};
#[cfg(feature = "sqlite")]
use super::sqlite::{SqliteDb, SqliteSettings};
use super::watch::Watcher;
use super::{Commit, Connection, Dialect, Executor, Seat};
use crate::error::{Error, ErrorCode, Result};
use crate::options::{Location, Options};

/// How much a piece of work does at the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// On PostgreSQL one statement, which commits by itself: one round trip. On SQLite any number, in a transaction.
    Statement,
    /// Several statements in one transaction.
    Transaction,
    /// A transaction whose work no statement timeout bounds: import, migration.
    Bulk,
    /// One of many such transactions, of which the last alone has to be on the disk when it has ended: its commit brings
    /// the others there (SQLite, whose log is written in order).
    Step,
}

/// Connections for workers' claims and reports, at most (PostgreSQL).
const WORKER_POOL: u32 = 4;
/// What a store may open beside `pool_size`: those, one for heartbeats, one that listens.
pub(crate) const BESIDE_POOL: u32 = WORKER_POOL + 2;

/// An open database.
pub(crate) enum Db {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteDb),
    #[cfg(feature = "postgres")]
    Postgres(PostgresDb),
}

/// A piece of work on a connection; told how long the connection was waited for.
pub(crate) type Writing<'w> = &'w mut dyn FnMut(&mut dyn Executor, Duration) -> Result<()>;
/// The same, owning what it needs: on SQLite the thread of another caller may do it (decision 0001).
pub(crate) type Errand = Box<dyn FnMut(&mut dyn Executor, Duration) -> Result<()> + Send>;
/// A piece of reading.
pub(crate) type Reading<'w> = &'w mut dyn FnMut(&mut dyn Executor) -> Result<()>;

impl Db {
    pub(crate) fn open(location: &Location, options: &Options) -> Result<Self> {
        match location {
            #[cfg(feature = "sqlite")]
            Location::File(path) => SqliteDb::open(Some(path.clone()), sqlite_settings(options)).map(Self::Sqlite),
            #[cfg(feature = "sqlite")]
            Location::Memory => SqliteDb::open(None, sqlite_settings(options)).map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => PostgresDb::open(url, postgres_settings(options)).map(Self::Postgres),
            #[allow(unreachable_patterns)]
            _ => Err(Error::new(
                ErrorCode::Unsupported,
                "this build has no driver for that URL: enable the feature `sqlite` or `postgres`",
            )),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// What watches for the commits of other processes, where there may be any.
    pub(crate) fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => db.watcher(),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => Some(db.watcher()),
        }
    }

    /// Reads; with `snapshot` all statements of the work see one state.
    pub(crate) fn read(&self, seat: Seat<'_>, snapshot: bool, deadline: Instant, work: Reading<'_>) -> Result<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => db.read(seat.lane, snapshot, deadline, work),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => again_if_stale(&mut || {
                if !snapshot {
                    return work(&mut *db.connect_until(seat, deadline)?);
                }
                // An export reads for as long as it takes.
                let mut connection = db.connect(seat, deadline)?;
                connection.begin(false)?;
                let result = work(&mut *connection);
                connection.rollback();
                result
            }),
        }
    }

    /// Writes, and commits; the commit is durable where this says [`Commit::Done`].
    pub(crate) fn write(&self, seat: Seat<'_>, unit: Unit, deadline: Instant, work: Writing<'_>) -> Result<Commit> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => {
                let _ = seat;
                db.write(unit, deadline, work)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) if unit == Unit::Statement => {
                let mut connection = db.connect_until(seat, deadline)?;
                let waited = connection.waited();
                match work(&mut *connection, waited) {
                    // The statement was its own COMMIT: lost with its answer, it may have taken effect.
                    Err(error) if is_connection_lost(&error) => Ok(Commit::Unknown(error)),
                    result => result.map(|()| Commit::Done),
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => again_if_stale(&mut || {
                let mut connection = match unit {
                    Unit::Bulk | Unit::Step => db.connect(seat, deadline)?,
                    _ => db.connect_until(seat, deadline)?,
                };
                connection.begin_soon()?;
                if matches!(unit, Unit::Bulk | Unit::Step) {
                    connection.batch(UNBOUNDED)?;
                }
                let waited = connection.waited();
                if let Err(error) = work(&mut *connection, waited) {
                    connection.rollback();
                    return Err(error);
                }
                connection.commit()
            }),
        }
    }

    /// The same for an errand, which is there again when this returns.
    pub(crate) fn send(&self, seat: Seat<'_>, unit: Unit, by: Instant, errand: &mut Option<Errand>) -> Result<Commit> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => {
                let _ = seat;
                db.send(unit, by, errand)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => match errand {
                Some(errand) => self.write(seat, unit, by, errand),
                None => Err(Error::new(ErrorCode::Panic, "an errand was lost")),
            },
        }
    }

    /// A connection for a transaction that its caller begins and ends.
    pub(crate) fn hold(&self, seat: Seat<'_>, deadline: Instant) -> Result<Box<dyn Connection>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => {
                let _ = seat;
                Ok(Box::new(db.hold(deadline)?))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.connect(seat, deadline),
        }
    }

    /// A connection of its own for one caller, which reads and fills temporary tables, with nobody waiting for it meanwhile;
    /// none where there is but one (SQLite in memory), or where the server would have to be asked for another (PostgreSQL).
    pub(crate) fn scratch(&self, deadline: Instant) -> Result<Option<Box<dyn Connection>>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => db.scratch(deadline),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => {
                let _ = deadline;
                Ok(None)
            }
        }
    }

    /// Writes a consistent copy to a new file (SQLite).
    pub(crate) fn snapshot(&self, path: &std::path::Path, deadline: Instant) -> Result<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => db.snapshot(path, deadline),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => {
                let _ = (path, deadline);
                Err(Error::new(ErrorCode::Unsupported, "snapshot copies a SQLite file; for PostgreSQL use pg_dump"))
            }
        }
    }

    /// Reads with the host's SQL, which must not write.
    pub(crate) fn must_read(&self, sql: &str, deadline: Instant) -> Result<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(db) => db.must_read(sql, deadline),
            // PostgreSQL refuses a write in the read-only transaction that `read` opens.
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => {
                let _ = (sql, deadline);
                Ok(())
            }
        }
    }
}

/// Once more where the pooled connection turned out dead, or had a statement prepared for a table as it was: a transaction
/// that did not reach its COMMIT has written nothing.
#[cfg(feature = "postgres")]
fn again_if_stale<T>(run: &mut dyn FnMut() -> Result<T>) -> Result<T> {
    match run() {
        // Not after a silence, which used up the time of the call.
        Err(error) if is_connection_lost(&error) && error.code() == ErrorCode::Unavailable => {
            tracing::debug!("a database connection was lost; trying once more on a new one");
            run()
        }
        Err(error) if is_outdated(&error) => run(),
        result => result,
    }
}

/// Whether a statement failed that may have been prepared before a table changed (PostgreSQL): it will be prepared anew.
pub(crate) fn is_outdated(error: &Error) -> bool {
    error.details().is_some_and(|details| details.get("prepared").is_some())
}

#[cfg(feature = "sqlite")]
fn sqlite_settings(options: &Options) -> SqliteSettings {
    SqliteSettings {
        durability: options.durability,
        busy_timeout: options.busy_timeout,
        call_timeout: options.call_timeout,
        pool_size: options.pool_size,
        statement_cache: options.statement_cache,
        allow_network_fs: options.allow_network_fs,
        read_only: options.read_only,
        interrupt: options.interrupt.clone(),
    }
}

#[cfg(feature = "postgres")]
fn postgres_settings(options: &Options) -> PostgresSettings {
    PostgresSettings {
        pool_size: options.pool_size,
        worker_pool_size: WORKER_POOL,
        statement_cache: options.statement_cache,
        call_timeout: options.call_timeout,
        schema: options.schema.clone(),
        listen_url: options.listen_url.clone(),
        read_only: options.read_only,
        application_name: "sprongus",
        asked: Asked(options.interrupt.clone()),
    }
}

/// The URL without its password, for people to see.
pub(crate) fn shown(location: &Location) -> String {
    match location {
        Location::Memory => ":memory:".to_owned(),
        Location::File(path) => path.display().to_string(),
        #[cfg(feature = "postgres")]
        Location::Postgres(url) => redact(url),
        #[cfg(not(feature = "postgres"))]
        Location::Postgres(_) => "postgresql://".to_owned(),
    }
}
