//! A Python function as a handler.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sprongus::worker::{Context as CoreContext, Handler, HandlerError, Outcome};

use crate::context::Context;
use crate::json_in;

/// The longest output taken from Python, in bytes of JSON; the store's own limit is checked after it.
const MOST: usize = 64 << 20;

/// Calls a function of the host's with a Context.
pub(crate) struct PyHandler {
    function: Py<PyAny>,
}

impl PyHandler {
    pub(crate) fn new(function: &Bound<'_, PyAny>) -> Self {
        Self { function: function.clone().unbind() }
    }
}

impl Handler for PyHandler {
    fn handle(&self, context: &CoreContext) -> Result<Outcome, HandlerError> {
        // At the interpreter's end there is no GIL: the lease runs out, and another worker takes the run.
        let called = Python::try_attach(|py| self.call(py, context).map_err(|raised| failed(py, context, &raised)));
        called.unwrap_or_else(|| Err(HandlerError::Retry("the Python interpreter has ended".to_owned())))
    }
}

impl PyHandler {
    fn call(&self, py: Python<'_>, context: &CoreContext) -> PyResult<Outcome> {
        static ASYNC: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let mut returned = self.function.bind(py).call1((Context::new(context.clone()),))?;
        if returned.hasattr(intern!(py, "__await__"))? {
            returned = ASYNC.import(py, "sprongus._outcomes", "awaited")?.call1((returned,))?;
        }
        outcome(&returned)
    }
}

fn outcome(returned: &Bound<'_, PyAny>) -> PyResult<Outcome> {
    static REF: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = returned.py();
    if returned.is_none() {
        return Ok(Outcome::None);
    }
    if returned.is_instance(REF.import(py, "sprongus._outcomes", "Ref")?)? {
        return returned.getattr(intern!(py, "ref"))?.extract().map(Outcome::Ref);
    }
    json_in::document(returned, MOST).map(Outcome::Output).map_err(|error| {
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
