//! What the tests stand on: a throw-away PostgreSQL, a proxy that breaks connections, temporary folders, test data.
//!
//! Everything here panics with the way out instead of returning errors: a test that cannot have its ground must fail, never skip.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod data;
mod folder;
mod notion;
mod pg_bin;
mod postgres;
mod proxy;
mod watchdog;
mod wire;

pub use data::data_dir;
pub use folder::{temp_dir, temp_file};
pub use notion::{Fault, NotionServer};
pub use postgres::{Postgres, Setup};
pub use proxy::{Fired, Proxy, When};
pub use tempfile::TempDir;
