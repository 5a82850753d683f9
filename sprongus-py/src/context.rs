//! `Context`: what a handler is given.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sprongus::Error;
use sprongus::worker::Context as CoreContext;

use crate::args::Given;
use crate::call::{Detached, wait};
use crate::error::raised;
use crate::ground::Ground;
use crate::records::Run;
use crate::transaction::Transaction;
use crate::{json_in, json_out};

/// The longest progress taken from Python, in bytes of JSON; the store's own limit is checked after it.
const MOST: usize = 64 << 20;

/// A run in a handler's hands, and its ways to the store.
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Context {
    inner: std::sync::Arc<Detached<CoreContext>>,
}

impl Context {
    pub(crate) fn new(context: CoreContext) -> Self {
        Self { inner: std::sync::Arc::new(Detached::new(context)) }
    }
}

fn known(context: &Detached<CoreContext>) -> sprongus::Result<&CoreContext> {
    context.get().ok_or_else(|| Error::misuse("the handler has ended"))
}

#[pymethods]
impl Context {
    /// The run as it was claimed.
    #[getter]
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Run>> {
        let run = known(&self.inner).map(|context| context.run().clone());
        Run::make(py, run.map_err(|error| raised(py, &error))?)
    }

    /// Its input.
    #[getter]
    fn input<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::document(py, known(&self.inner).map_err(|error| raised(py, &error))?.input())
    }

    /// Whether it is no longer wanted: canceled, its lease lost, or the worker gone. Then end soon; what the handler returns
    /// will not count.
    #[getter]
    fn canceled(&self, py: Python<'_>) -> PyResult<bool> {
        known(&self.inner).map(CoreContext::canceled).map_err(|error| raised(py, &error))
    }

    /// Tells how far the work is, and extends the lease; the worker extends it by itself as well.
    ///
    /// Raises `LeaseLostError` where the run is no longer this handler's, canceled included.
    #[pyo3(signature = (progress = Given::No), text_signature = "($self, progress=...)")]
    fn heartbeat(&self, py: Python<'_>, progress: Given<'_>) -> PyResult<()> {
        let progress = progress.into_option().map(|progress| json_in::document(&progress, MOST)).transpose()?;
        wait(py, || known(&self.inner)?.beat(progress))
    }

    /// One transaction as a context manager, which commits only while the run is still this handler's.
    ///
    /// Raises `LeaseLostError` on leaving where it was canceled or taken: nothing was written then.
    fn transaction(&self) -> FencedBlock {
        FencedBlock { context: self.inner.clone(), open: Mutex::new(None) }
    }
}

/// What `Context.transaction()` returns.
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct FencedBlock {
    context: std::sync::Arc<Detached<CoreContext>>,
    open: Mutex<Option<Ground>>,
}

#[pymethods]
impl FencedBlock {
    fn __enter__(&self, py: Python<'_>) -> PyResult<Transaction> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_some() {
            return Err(raised(py, &Error::misuse("this transaction is open already; call transaction() for another")));
        }
        let ground = Ground::tx(wait(py, || known(&self.context)?.begin())?);
        *open = Some(ground.clone());
        Ok(Transaction::on(ground))
    }

    #[pyo3(signature = (*exc), text_signature = "($self, *exc)")]
    fn __exit__(&self, py: Python<'_>, exc: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let failed = exc.get_item(0).is_ok_and(|kind| !kind.is_none());
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Ground::Tx(open)) = open else {
            return Err(raised(py, &Error::misuse("this transaction is not open")));
        };
        let ended = wait(py, || {
            let tx = open.take()?;
            if failed { tx.rollback() } else { known(&self.context)?.commit(tx) }
        });
        // What was raised inside says more than a rollback that failed after it.
        if failed { Ok(false) } else { ended.map(|()| false) }
    }
}
