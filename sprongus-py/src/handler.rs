//! A Python function as a handler.
//!
//! It runs on a thread that Python made: at the interpreter's end such a thread stops without a word wherever its Python
//! code is, but one with Rust's frames beneath that code would crash the process (CPython before 3.14 unwinds the thread).

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sprongus::worker::{Context as CoreContext, Handler, HandlerError};

use crate::context::Context;
use crate::outcome::{self, Ended};

/// A function of the host's; its worker may let go of it.
pub(crate) struct Function(Mutex<Option<Py<PyAny>>>);

impl Function {
    pub(crate) fn new(function: &Bound<'_, PyAny>) -> Self {
        Self(Mutex::new(Some(function.clone().unbind())))
    }

    fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let function = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        function.as_ref().map(|function| function.bind(py).clone())
    }

    /// Gives it up, for the collector.
    pub(crate) fn clear(&self) {
        let function = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(function);
    }

    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Without waiting; what is not visited is not collected this time.
        self.0.try_lock().map_or(Ok(()), |function| visit.call(&*function))
    }
}

/// Calls a function of the host's with a Context.
pub(crate) struct PyHandler {
    pub(crate) function: Arc<Function>,
    /// Of the worker.
    pub(crate) number: u64,
}

impl Handler for PyHandler {
    fn handle(&self, context: &CoreContext) -> Ended {
        let (told, end) = mpsc::channel();
        // At the interpreter's end there is no GIL: the lease runs out, and another worker takes the run.
        let begun = Python::try_attach(|py| {
            self.begin(py, context, told).map_err(|raised| outcome::raised(py, context, &raised))
        });
        let unanswered = || HandlerError::Retry("the Python interpreter has ended".to_owned());
        begun.unwrap_or_else(|| Err(unanswered()))?;
        end.recv().unwrap_or_else(|_| Err(unanswered()))
    }
}

impl PyHandler {
    fn begin(&self, py: Python<'_>, context: &CoreContext, told: mpsc::Sender<Ended>) -> PyResult<()> {
        static BEGIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let call = Call { context: Context::new(context.clone()), told, worker: self.number };
        BEGIN.import(py, "sprongus._outcomes", "begin")?.call1((self.function.get(py), call)).map(drop)
    }
}

thread_local! {
    /// The number of the worker whose handler this thread runs; such a thread runs one handler and ends.
    static WORKER: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Whether the caller is a handler of that worker.
pub(crate) fn is_within(worker: u64) -> bool {
    WORKER.get() == Some(worker)
}

/// One call of a handler, as its thread sees it.
#[pyclass(module = "sprongus", frozen)]
struct Call {
    context: Context,
    told: mpsc::Sender<Ended>,
    worker: u64,
}

#[pymethods]
impl Call {
    /// To be called first, on the handler's thread; the Context for it.
    fn enter(&self) -> Context {
        WORKER.set(Some(self.worker));
        self.context.clone()
    }

    fn returned(&self, value: &Bound<'_, PyAny>) {
        self.tell(|context| outcome::returned(value, context));
    }

    fn raised(&self, py: Python<'_>, error: Bound<'_, PyAny>) {
        self.tell(|context| Err(outcome::raised(py, context, &PyErr::from_value(error))));
    }
}

impl Call {
    fn tell(&self, ended: impl FnOnce(&CoreContext) -> Ended) {
        // Once its run waits for an approval nothing else counts, whatever the handler made of the exception that says so.
        let ended = if self.context.is_waiting() { Err(HandlerError::Awaiting) } else { ended(self.context.inner()) };
        // The worker waits for it, unless the process ends.
        let _ = self.told.send(ended);
    }
}
