//! A Python function as a handler.
//!
//! It runs on a thread that Python made: at the interpreter's end such a thread stops without a word wherever its Python
//! code is, but one with Rust's frames beneath that code would crash the process (CPython before 3.14 unwinds the thread).

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sprongus::worker::{Context as CoreContext, Handler, HandlerError, Outcome};

use crate::context::Context;
use crate::json_in;

type Ended = Result<Outcome, HandlerError>;

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
        let begun =
            Python::try_attach(|py| self.begin(py, context, told).map_err(|raised| failed(py, context, &raised)));
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

    fn returned(&self, py: Python<'_>, value: &Bound<'_, PyAny>) {
        self.tell(outcome(value).map_err(|raised| failed(py, self.context.inner(), &raised)));
    }

    fn raised(&self, py: Python<'_>, error: Bound<'_, PyAny>) {
        self.tell(Err(failed(py, self.context.inner(), &PyErr::from_value(error))));
    }
}

impl Call {
    fn tell(&self, ended: Ended) {
        // The worker waits for it, unless the process ends.
        let _ = self.told.send(ended);
    }
}

fn outcome(returned: &Bound<'_, PyAny>) -> PyResult<Outcome> {
    static REF: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = returned.py();
    if returned.is_none() {
        return Ok(Outcome::None);
    }
    let given = if returned.is_instance(REF.import(py, "sprongus._outcomes", "Ref")?)? {
        returned.getattr(intern!(py, "ref"))?.extract().map(Outcome::Ref)
    } else {
        json_in::document(returned).map(Outcome::Output)
    };
    given.map_err(|error| {
        // Another attempt would return the same.
        let fatal = FATAL.import(py, "sprongus._outcomes", "Fatal").and_then(|fatal| {
            fatal.call1((format!("what the handler returned is not its output: {}", error.value(py)),))
        });
        fatal.map_or_else(|failed| failed, PyErr::from_value)
    })
}

static FATAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The failure an exception means: its class and text, and a line in the log that holds neither input nor text.
fn failed(py: Python<'_>, context: &CoreContext, raised: &PyErr) -> HandlerError {
    let fatal = FATAL.import(py, "sprongus._outcomes", "Fatal");
    let fatal = fatal.is_ok_and(|fatal| raised.value(py).is_instance(fatal).unwrap_or(false));
    let name = raised.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    let text = raised.value(py).str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    tell(py, context, raised);
    match (fatal, text.is_empty()) {
        (true, false) => HandlerError::Fatal(text),
        (true, true) => HandlerError::Fatal(name),
        (false, false) => HandlerError::Retry(format!("{name}: {text}")),
        (false, true) => HandlerError::Retry(name),
    }
}

/// Where it was raised, for those who listen at DEBUG.
fn tell(py: Python<'_>, context: &CoreContext, raised: &PyErr) {
    static TELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let run = context.run();
    let told = TELL
        .import(py, "sprongus._outcomes", "raised")
        .and_then(|tell| tell.call1((&run.id, &run.kind, run.attempt, raised.value(py))));
    if let Err(error) = told {
        // A log handler of the host's raised; the run's own failure matters more.
        error.write_unraisable(py, None);
    }
}
