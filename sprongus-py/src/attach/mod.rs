//! `sprongus.attach`: the services over a host's own DB-API connection and its open transaction.

mod executor;
mod from_row;
mod statement;
mod to_driver;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sprongus::{Options, Tx};

use crate::call::{interrupt, wait};
use crate::transaction::Transaction;
use executor::Host;

/// The services over your own connection and its open transaction: you begin and commit.
///
/// `connection`: a psycopg 3, psycopg2 or sqlite3 connection, also as Django and SQLAlchemy lend it; not in pipeline mode, and
/// with PostgreSQL's DateStyle ISO. With sqlite3 its SQLite (3.35 or newer) must be the process's only one on that file: do
/// not `sprongus.open` the same file beside it; leave `detect_types` alone.
/// The schema must be there: open a Store once, or run `sprongus.migration_sql`.
///
/// Raises `MisuseError` where no transaction is open, `SchemaVersionError`, `InvalidArgumentError` for another driver.
///
/// >>> with psycopg.connect(url) as connection:
/// ...     cursor = connection.execute("INSERT INTO orders (id) VALUES ('a-17')")
/// ...     run = sprongus.attach(connection).runs.enqueue("charge", {"order": "a-17"})
/// >>> run.state
/// 'queued'
#[pyfunction]
pub(crate) fn attach(py: Python<'_>, connection: &Bound<'_, PyAny>) -> PyResult<Transaction> {
    static ADAPT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    crate::log::install(py)?;
    let host = ADAPT.import(py, "sprongus._hosts", "adapt")?.call1((connection,))?;
    let host = Host::new(&host)?;
    let options = Options { interrupt: Some(interrupt()), ..Options::default() };
    wait(py, || Tx::attach(host, options)).map(Transaction::new)
}
