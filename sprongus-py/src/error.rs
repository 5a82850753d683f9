//! Errors of the library as the exceptions of `sprongus.errors`.

use std::cell::Cell;

use pyo3::exceptions::{PyException, PyKeyboardInterrupt};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sprongus::{Error, ErrorCode};

use crate::json_out;

/// The exception for an error: the class of its code, its cause where a host's own code raised one.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    if INTERRUPTED.take() {
        return PyKeyboardInterrupt::new_err(());
    }
    let source = std::error::Error::source(error);
    if let Some(Passed(own)) = source.and_then(|source| source.downcast_ref()) {
        return own.clone_ref(py);
    }
    let cause = source.and_then(|source| source.downcast_ref::<PyErr>());
    if let Some(cause) = cause.filter(|cause| !cause.is_instance_of::<PyException>(py)) {
        // KeyboardInterrupt and SystemExit are not ours to wrap.
        return cause.clone_ref(py);
    }
    exception(py, error).map_or_else(
        |failed| failed,
        |raised| {
            raised.set_cause(py, cause.map(|cause| cause.clone_ref(py)));
            raised
        },
    )
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static OF: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let of = OF.import(py, "sprongus.errors", "_of")?;
    let details = error.details().map(|details| json_out::value(py, details)).transpose()?;
    let raised = of.call1((error.code().as_str(), error.message(), details, error.retryable()))?;
    Ok(PyErr::from_value(raised))
}

/// An exception about one item of many: one of ours says so in its message, as the library's own do, others in a note.
pub(crate) fn at_item(py: Python<'_>, index: usize, error: PyErr) -> PyErr {
    static AT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let at = AT.import(py, "sprongus.errors", "_at_item").and_then(|at| at.call1((index, error.value(py))));
    at.map_or_else(|failed| failed, PyErr::from_value)
}

/// A host's exception as an error, its text in the message and itself as the cause.
pub(crate) fn caught(py: Python<'_>, code: ErrorCode, what: &str, raised: PyErr) -> Error {
    Error::new(code, format!("{what}: {}", raised.value(py))).with_source(raised)
}

/// An exception that the host's own code raised within a call: it leaves the call as it is.
#[derive(Debug)]
struct Passed(PyErr);

impl std::fmt::Display for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Passed {}

/// Carries an exception of the host's through the library; [`raised`] gives it back.
pub(crate) fn passed(raised: PyErr) -> Error {
    Error::new(ErrorCode::InvalidArgument, "the host's own code raised").with_source(passed_on(raised))
}

thread_local! {
    /// Ctrl-C that came while a resolver was at work, of which nothing is told.
    static INTERRUPTED: Cell<bool> = const { Cell::new(false) };
}

/// Has the next error of this thread leave as Ctrl-C, where this one is.
pub(crate) fn keep_interrupt(error: &Error) {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Passed>());
    let came = |py: Python<'_>| cause.is_some_and(|cause| cause.0.is_instance_of::<PyKeyboardInterrupt>(py));
    if Python::try_attach(came) == Some(true) {
        INTERRUPTED.set(true);
    }
}

/// The cause by which an error leaves a call as that exception.
pub(crate) fn passed_on(raised: PyErr) -> impl std::error::Error + Send + Sync + 'static {
    Passed(raised)
}
