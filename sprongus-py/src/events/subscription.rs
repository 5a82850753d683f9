//! `Subscription`: a function of the host's, told of this store's own commits.

use std::sync::{Arc, OnceLock};
use std::thread::ThreadId;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use sprongus::events::{SubscribeEvents, Subscription as CoreSubscription};

use super::handover::Handover;
use crate::call::{Detached, wait};
use crate::ground::Ground;
use crate::records::Event;

/// Between two looks for a signal while a call is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// A function that is told of events; made by `Events.subscribe`. As a context manager it closes.
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Subscription {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Detached<CoreSubscription>,
    handover: Arc<Handover>,
    /// Where the function is called.
    thread: OnceLock<ThreadId>,
    process: u32,
}

impl Subscription {
    pub(super) fn new(function: &Bound<'_, PyAny>, ground: &Ground, request: &SubscribeEvents) -> PyResult<Self> {
        static BEGIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = function.py();
        if !function.is_callable() {
            return Err(PyTypeError::new_err("fn is a function that takes an Event"));
        }
        let handover = Arc::new(Handover::default());
        let told = Told(handover.clone());
        let inner = ground.events(py, |events| events.subscribe(request, move |event| told.0.put(event)))?;
        let shared = Arc::new(Shared {
            inner: Detached::new(inner),
            handover,
            thread: OnceLock::new(),
            process: std::process::id(),
        });
        let news = News { shared: shared.clone() };
        BEGIN.import(py, "sprongus._subscribers", "begin")?.call1((function, news))?;
        Ok(Self { shared })
    }
}

/// The library's end of a handover; when the library lets go of it, nothing more will come.
struct Told(Arc<Handover>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// What the subscriber's thread draws from. It keeps the subscription: who does not keep what `subscribe` gave is told all
/// the same.
#[pyclass(module = "sprongus", frozen)]
struct News {
    shared: Arc<Shared>,
}

#[pymethods]
impl News {
    /// The next event; None when it is over.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, Event>>> {
        self.shared.thread.get_or_init(|| std::thread::current().id());
        let event = py.detach(|| self.shared.handover.take());
        event.map(|event| Event::make(py, event)).transpose()
    }
}

#[pymethods]
impl Subscription {
    /// How many events were not told because 10,000 waited already: the function is too slow.
    #[getter]
    fn missed(&self) -> u64 {
        self.shared.inner.missed()
    }

    /// Ends it: the function is not called any more. A call under way is waited for, except by itself. Twice is nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let shared = &self.shared;
        if shared.process != std::process::id() {
            // The threads are the parent's, and their locks may be held for ever.
            return Ok(());
        }
        wait(py, || {
            shared.handover.close();
            shared.inner.close();
            Ok(())
        })?;
        let within = shared.thread.get() == Some(&std::thread::current().id());
        while !within && !py.detach(|| shared.handover.is_idle_within(LOOK)) {
            py.check_signals()?;
        }
        Ok(())
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*exc), text_signature = "($self, *exc)")]
    fn __exit__(&self, py: Python<'_>, exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        let _ = exc;
        self.close(py)
    }
}
