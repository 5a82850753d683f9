//! The only place that knows SQLite from PostgreSQL (DESIGN.md §2).

mod backend;
mod dialect;
mod executor;
mod lane;
mod migrate;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
pub(crate) mod row_security;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod value;
mod watch;
pub(crate) mod words;

pub use dialect::Dialect;
pub use executor::Executor;
pub use migrate::migration_sql;
#[cfg(feature = "postgres")]
pub use postgres::{LentPostgres, postgres_error};
pub use row::Row;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::surroundings;
#[cfg(all(test, feature = "sqlite"))]
pub(crate) use sqlite::testing as sqlite_testing;
#[cfg(feature = "sqlite")]
pub use sqlite::{LentSqlite, sqlite_error};
pub use value::Value;

pub(crate) use backend::{BESIDE_POOL, Db, Errand, Unit, is_outdated, shown};
pub(crate) use executor::{Commit, Connection};
pub(crate) use lane::{Lane, Seat};
pub(crate) use migrate::{SCHEMA_VERSION, check_schema, known_migrations, migrate};
pub(crate) use pool::{SLICE, interrupted};
pub(crate) use schema::{Schema, Table, expected, found};
pub(crate) use watch::{Counts, Hearing, Signal, Signals, Watch};
