//! Durable runs, validated documents, presets and events inside your own SQLite file or PostgreSQL database.

pub mod artifacts;
pub mod aux_store;
pub mod clock;
pub mod config;
pub mod db;
pub mod doctor;
mod error;
pub mod events;
mod fork;
pub mod id;
pub mod inbox;
pub mod json;
mod new_file;
pub mod ops;
mod options;
pub mod page;
pub mod presets;
pub mod projects;
pub mod runs;
mod scope;
pub mod secrets;
mod session;
mod settle;
mod sql;
mod store;
pub mod tables;
mod telemetry;
pub mod text;
mod transaction;
pub mod worker;

pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Error, ErrorCode, Result, Violation};
pub use json::Json;
pub use page::Page;

#[cfg(feature = "postgres")]
pub use db::LentPostgres;
#[cfg(feature = "sqlite")]
pub use db::LentSqlite;
pub use db::{Dialect, Executor, Row, Value, migration_sql};
pub use events::Event;
pub use fork::{ForkGuard, before_fork};
pub use options::{Durability, Interrupt, Options};
pub use runs::{Run, RunState, Runs};
pub use scope::{Rate, Rates, Scope, ScopedOptions};
pub use store::Store;
pub use telemetry::Latency;
pub use transaction::Tx;
pub use worker::{Worker, WorkerOptions};
