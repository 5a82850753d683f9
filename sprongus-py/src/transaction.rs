//! `Transaction`.

use pyo3::prelude::*;
use sprongus::{Error, Tx};

use crate::approvals::Approvals;
use crate::args::{Text, text};
use crate::artifacts::Artifacts;
use crate::aux_table::AuxTable;
use crate::block::TransactionBlock;
use crate::config::Config;
use crate::error::raised;
use crate::events::Events;
use crate::ground::Ground;
use crate::host_sql;
use crate::inbox::Inbox;
use crate::presets::Presets;
use crate::projects::Projects;
use crate::providers::Providers;
use crate::runs::Runs;
use crate::schedules::Schedules;
use crate::tables::Tables;

/// The services of a Store inside one commit, and your own SQL.
///
/// An operation of ours that raises has written nothing and the transaction goes on. A statement of your own that fails
/// poisons it: it can then only be rolled back, to a savepoint (`tx.transaction()`) or whole.
#[pyclass(module = "sprongus", frozen, weakref)]
pub(crate) struct Transaction {
    ground: Ground,
}

impl Transaction {
    pub(crate) fn new(tx: Tx<'static>) -> Self {
        Self { ground: Ground::tx(tx) }
    }

    /// Over a transaction that a context manager will end.
    pub(crate) fn on(ground: Ground) -> Self {
        Self { ground }
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Tx<'static>) -> sprongus::Result<T> + Send,
    ) -> PyResult<T> {
        let no_store = |_, _: &sprongus::Store| Err(Error::misuse("this is no transaction"));
        self.ground.either(py, work, no_store, |work, tx| work(tx))
    }
}

#[pymethods]
impl Transaction {
    /// The runs: durable work, enqueued once and executed at least once.
    #[getter]
    fn runs(&self) -> Runs {
        Runs::new(self.ground.clone())
    }

    /// Leave to go on: the gate before the queue, and what runs ask for while they run.
    #[getter]
    fn approvals(&self) -> Approvals {
        Approvals::new(self.ground.clone())
    }

    /// Messages from outside, each processed once.
    #[getter]
    fn inbox(&self) -> Inbox {
        Inbox::new(self.ground.clone())
    }

    /// The feed of all events.
    #[getter]
    fn events(&self) -> Events {
        Events::new(self.ground.clone())
    }

    /// Runs enqueued again and again.
    #[getter]
    fn schedules(&self) -> Schedules {
        Schedules::new(self.ground.clone())
    }

    /// The documents of a table of a project.
    fn aux(&self, project: Text, table: Text) -> AuxTable {
        AuxTable::new(self.ground.clone(), project.0, table.0)
    }

    /// The presets, inside this commit.
    #[getter]
    fn presets(&self) -> Presets {
        Presets::new(self.ground.clone())
    }

    /// Versioned contents that never change: reports, outputs, files.
    #[getter]
    fn artifacts(&self) -> Artifacts {
        Artifacts::new(self.ground.clone())
    }

    /// Custom tables: typed tables of your own.
    #[getter]
    fn tables(&self) -> Tables {
        Tables::new(self.ground.clone())
    }

    /// Projects on record.
    #[getter]
    fn projects(&self) -> Projects {
        Projects::new(self.ground.clone())
    }

    /// Small settings, of the store or of a project.
    #[getter]
    fn config(&self) -> Config {
        Config::new(self.ground.clone())
    }

    /// What tables can be synced with.
    #[getter]
    fn providers(&self) -> Providers {
        Providers::new(self.ground.clone())
    }

    /// The same transaction, its events and history in the name of `actor`, for that reason.
    #[pyo3(signature = (actor, reason = None))]
    fn acting_as(&self, py: Python<'_>, actor: Text, reason: Option<Text>) -> PyResult<Self> {
        let reason = text(reason);
        self.with(py, |tx| tx.acting_as(&actor.0, reason.as_deref())).map(Self::new)
    }

    /// Runs one statement of your own, `$1..$n` on both databases; the number of rows it changed.
    #[pyo3(signature = (sql, params = None), text_signature = "($self, sql, params=())")]
    fn execute(&self, py: Python<'_>, sql: Text, params: Option<Bound<'_, PyAny>>) -> PyResult<u64> {
        let params = host_sql::params(py, params)?;
        self.with(py, |tx| tx.execute(&sql.0, &params))
    }

    /// Runs one statement of your own, RETURNING included; each row a dict by column name.
    #[pyo3(signature = (sql, params = None), text_signature = "($self, sql, params=())")]
    fn query<'py>(&self, py: Python<'py>, sql: Text, params: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let params = host_sql::params(py, params)?;
        let rows = self.with(py, |tx| tx.query(&sql.0, &params))?;
        host_sql::rows(py, &rows)
    }

    /// A savepoint as a context manager: kept on leaving, undone on an exception.
    fn transaction(&self) -> TransactionBlock {
        TransactionBlock::on(self.ground.clone())
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<()> {
        Err(raised(py, &Error::misuse("a Transaction does not pickle: it belongs to its process")))
    }
}
