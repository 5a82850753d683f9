//! The only place that knows SQLite from PostgreSQL (DESIGN.md §2).

mod dialect;
mod executor;
mod row;
mod value;

pub use dialect::Dialect;
pub use executor::Executor;
pub use row::Row;
pub use value::Value;

pub(crate) use executor::{Commit, Connection};
