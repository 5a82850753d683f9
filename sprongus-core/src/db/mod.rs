//! The only place that knows SQLite from PostgreSQL (DESIGN.md §2).

mod dialect;
mod executor;
mod lane;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod row;
mod value;

pub use dialect::Dialect;
pub use executor::Executor;
#[cfg(feature = "postgres")]
pub use postgres::LentPostgres;
pub use row::Row;
pub use value::Value;

pub(crate) use executor::{Commit, Connection};
pub(crate) use lane::Lane;
