//! `Context`: what a handler is given.

use std::sync::Arc;

use pyo3::prelude::*;
use sprongus::worker::Context as CoreContext;

use crate::args::Given;
use crate::block::TransactionBlock;
use crate::call::{Detached, wait};
use crate::records::Run;
use crate::{json_in, json_out};

/// A run in a handler's hands, and its ways to the store.
#[pyclass(module = "sprongus", frozen)]
#[derive(Clone)]
pub(crate) struct Context {
    inner: Arc<Detached<CoreContext>>,
}

impl Context {
    pub(crate) fn new(context: CoreContext) -> Self {
        Self { inner: Arc::new(Detached::new(context)) }
    }

    pub(crate) fn inner(&self) -> &CoreContext {
        &self.inner
    }
}

#[pymethods]
impl Context {
    /// The run as it was claimed.
    #[getter]
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Run>> {
        Run::make(py, self.inner.run().clone())
    }

    /// Its input.
    #[getter]
    fn input<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::document(py, self.inner.input())
    }

    /// Whether it is no longer wanted: canceled, its lease lost, or the worker gone. Then end soon; what the handler returns
    /// will not count.
    #[getter]
    fn canceled(&self) -> bool {
        self.inner.canceled()
    }

    /// Tells how far the work is, and extends the lease; the worker extends it by itself as well.
    ///
    /// Raises `LeaseLostError` where the run is no longer this handler's, canceled included.
    #[pyo3(signature = (progress = Given::No), text_signature = "($self, progress=...)")]
    fn heartbeat(&self, py: Python<'_>, progress: Given<'_>) -> PyResult<()> {
        let progress = progress.into_option().map(|progress| json_in::document(&progress)).transpose()?;
        wait(py, || self.inner.beat(progress))
    }

    /// One transaction as a context manager, which commits only while the run is still this handler's.
    ///
    /// Raises `LeaseLostError` on leaving where it was canceled or taken: nothing was written then.
    fn transaction(&self) -> TransactionBlock {
        TransactionBlock::of_run(self.inner.clone())
    }
}
