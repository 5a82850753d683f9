//! What a handler gave or raised, as what becomes of its run.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use sprongus::worker::{Context, HandlerError, Outcome};

use crate::json_in;
use crate::time::Seconds;

pub(crate) type Ended = Result<Outcome, HandlerError>;

/// The outcome that a value means.
pub(crate) fn returned(value: &Bound<'_, PyAny>, context: &Context) -> Ended {
    given(value).map_err(|error| {
        told(value.py(), context, &error);
        // Another attempt would return the same.
        HandlerError::Fatal(format!("what the handler returned is not its output: {}", error.value(value.py())))
    })
}

fn given(value: &Bound<'_, PyAny>) -> PyResult<Outcome> {
    static REF: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = value.py();
    if value.is_none() {
        return Ok(Outcome::None);
    }
    if value.is_instance(REF.import(py, "sprongus._outcomes", "Ref")?)? {
        return value.getattr(intern!(py, "ref"))?.extract().map(Outcome::Ref);
    }
    json_in::document(value).map(Outcome::Output)
}

/// What an exception means: put off, failed for good, or failed with its class and text.
pub(crate) fn raised(py: Python<'_>, context: &Context, raised: &PyErr) -> HandlerError {
    static FATAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static SNOOZE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if is_a(py, raised, &SNOOZE, "Snooze") {
        return put_off(py, raised);
    }
    told(py, context, raised);
    let name = raised.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    let text = raised.value(py).str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    match (is_a(py, raised, &FATAL, "Fatal"), text.is_empty()) {
        (true, false) => HandlerError::Fatal(text),
        (true, true) => HandlerError::Fatal(name),
        (false, false) => HandlerError::Retry(format!("{name}: {text}")),
        (false, true) => HandlerError::Retry(name),
    }
}

fn is_a(py: Python<'_>, raised: &PyErr, class: &PyOnceLock<Py<PyType>>, name: &str) -> bool {
    let class = class.import(py, "sprongus._outcomes", name);
    class.is_ok_and(|class| raised.value(py).is_instance(class).unwrap_or(false))
}

fn put_off(py: Python<'_>, snooze: &PyErr) -> HandlerError {
    let delay = snooze.value(py).getattr(intern!(py, "delay")).and_then(|delay| delay.extract::<Seconds>());
    match delay {
        Ok(delay) => HandlerError::Snooze(delay.0),
        // Another attempt would raise the same.
        Err(error) => HandlerError::Fatal(format!("the delay of its Snooze: {}", error.value(py))),
    }
}

/// Logs where it was raised, for those who listen at DEBUG.
fn told(py: Python<'_>, context: &Context, raised: &PyErr) {
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
