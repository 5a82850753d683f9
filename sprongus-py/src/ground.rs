//! Where an operation runs: on a store, or in an open transaction.

use std::cell::Cell;
use std::sync::{Arc, PoisonError, RwLock};

use pyo3::prelude::*;
use sprongus::artifacts::Artifacts;
use sprongus::aux_store::{Aux, Providers};
use sprongus::config::Config;
use sprongus::events::Events;
use sprongus::inbox::Inbox;
use sprongus::presets::Presets;
use sprongus::projects::Projects;
use sprongus::runs::Runs;
use sprongus::runs::approvals::Approvals;
use sprongus::runs::schedules::Schedules;
use sprongus::tables::Tables;
use sprongus::{Error, Result, Store, Tx};

use crate::call::{Detached, wait};

/// A store or a transaction, as the services of this module hold it.
#[derive(Clone)]
pub(crate) enum Ground {
    Store(Arc<Detached<Store>>),
    Tx(Arc<OpenTx>),
}

impl Ground {
    pub(crate) fn tx(tx: Tx<'static>) -> Self {
        Self::Tx(Arc::new(OpenTx(Detached::new(RwLock::new(Some(tx))))))
    }

    /// Runs `work` with the presets here.
    pub(crate) fn presets<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Presets<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.presets()), |work, tx| work(tx.presets()))
    }

    /// Runs `work` with the runs here.
    pub(crate) fn runs<T: Send>(&self, py: Python<'_>, work: impl FnOnce(Runs<'_>) -> Result<T> + Send) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.runs()), |work, tx| work(tx.runs()))
    }

    /// Runs `work` with the approvals here.
    pub(crate) fn approvals<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Approvals<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.approvals()), |work, tx| work(tx.approvals()))
    }

    /// Runs `work` with the inbox here.
    pub(crate) fn inbox<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Inbox<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.inbox()), |work, tx| work(tx.inbox()))
    }

    /// Runs `work` with the schedules here.
    pub(crate) fn schedules<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Schedules<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.schedules()), |work, tx| work(tx.schedules()))
    }

    /// Runs `work` with the feed of events here.
    pub(crate) fn events<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Events<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.events()), |work, tx| work(tx.events()))
    }

    /// Runs `work` with the artifacts here.
    pub(crate) fn artifacts<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Artifacts<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.artifacts()), |work, tx| work(tx.artifacts()))
    }

    /// Runs `work` with the custom tables here.
    pub(crate) fn tables<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Tables<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.tables()), |work, tx| work(tx.tables()))
    }

    /// Runs `work` with the projects here.
    pub(crate) fn projects<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Projects<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.projects()), |work, tx| work(tx.projects()))
    }

    /// Runs `work` with the settings here.
    pub(crate) fn config<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Config<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.config()), |work, tx| work(tx.config()))
    }

    /// Runs `work` with the providers here.
    pub(crate) fn providers<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Providers<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.providers()), |work, tx| work(tx.providers()))
    }

    /// Runs `work` with a table here.
    pub(crate) fn aux<T: Send>(
        &self,
        py: Python<'_>,
        (project, table): (&str, &str),
        work: impl FnOnce(Aux<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.either(py, work, |work, store| work(store.aux(project, table)), |work, tx| work(tx.aux(project, table)))
    }

    /// Runs one of the two, whichever this is, with the GIL released.
    pub(crate) fn either<W: Send, T: Send>(
        &self,
        py: Python<'_>,
        work: W,
        on_store: impl FnOnce(W, &Store) -> Result<T> + Send,
        on_tx: impl FnOnce(W, &Tx<'static>) -> Result<T> + Send,
    ) -> PyResult<T> {
        match self {
            Self::Store(store) => wait(py, || on_store(work, store)),
            Self::Tx(tx) => wait(py, || tx.with(|tx| on_tx(work, tx))),
        }
    }
}

/// A transaction until it is committed or rolled back; dropped before, it is rolled back.
pub(crate) struct OpenTx(Detached<RwLock<Option<Tx<'static>>>>);

impl OpenTx {
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Tx<'static>) -> Result<T>) -> Result<T> {
        let _busy = Busy::begin()?;
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        work(open.as_ref().ok_or_else(ended)?)
    }

    /// The transaction itself, to be ended; calls that come later find that it has ended.
    pub(crate) fn take(&self) -> Result<Tx<'static>> {
        let _busy = Busy::begin()?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(ended)
    }
}

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// This thread is in a call on a transaction: code of the host's that the call runs (an iterator, a progress function) would
/// wait for the call's own locks without end if it called one.
struct Busy;

impl Busy {
    fn begin() -> Result<Self> {
        if BUSY.replace(true) {
            return Err(Error::misuse(
                "this thread is in a call on a transaction already: what an iterator or a progress function needs of it \
                 is read before the call",
            ));
        }
        Ok(Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

fn ended() -> Error {
    Error::misuse("the transaction has ended")
}
