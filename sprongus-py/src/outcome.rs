//! What a handler gave or raised, as what becomes of its run.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyType};
use sprongus::worker::{Context, HandlerError, Outcome};
use sprongus::{Error, ErrorCode};

use crate::call::Detached;
use crate::error::passed_on;
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
    static SNOOZE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if is_a(py, raised, &SNOOZE, "Snooze") {
        return put_off(py, raised);
    }
    told(py, context, raised);
    match (is_fatal(py, raised), described(py, raised)) {
        (true, (name, text)) => HandlerError::Fatal(if text.is_empty() { name } else { text }),
        (false, described) => HandlerError::Retry(in_words(described)),
    }
}

/// What an exception of the host's code means where the library called it: one of ours is what it says, `Fatal` is not to be
/// tried again, anything else is. It leaves a call of Python's as it is.
pub(crate) fn failed(py: Python<'_>, raised: PyErr) -> Error {
    if let Some(own) = own(py, &raised) {
        return own.with_source(passed_on(raised));
    }
    let code = if is_fatal(py, &raised) { ErrorCode::InvalidArgument } else { ErrorCode::Unavailable };
    let words = in_words(described(py, &raised));
    Error::new(code, words).with_source(passed_on(raised))
}

/// An error of the library's that the host's code raised or let pass.
fn own(py: Python<'_>, raised: &PyErr) -> Option<Error> {
    let value = raised.value(py);
    let code: String = value.getattr(intern!(py, "code")).ok()?.extract().ok()?;
    let message: String = value.getattr(intern!(py, "message")).ok()?.extract().ok()?;
    static OURS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let ours = OURS.import(py, "sprongus.errors", "SprongusError").ok()?;
    value.is_instance(ours).ok().filter(|is_ours| *is_ours)?;
    Some(Error::new(ErrorCode::parse(&code)?, message))
}

/// The name of an exception's class, and its text.
fn described(py: Python<'_>, raised: &PyErr) -> (String, String) {
    let name = raised.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    let text = raised.value(py).str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    (name, text)
}

fn in_words((name, text): (String, String)) -> String {
    if text.is_empty() { name } else { format!("{name}: {text}") }
}

fn is_fatal(py: Python<'_>, raised: &PyErr) -> bool {
    static FATAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    is_a(py, raised, &FATAL, "Fatal")
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
    let (run, hiding) = (context.run(), Detached::new(context.clone()));
    let hide = PyCFunction::new_closure(py, None, None, move |given, _| -> PyResult<String> {
        Ok(hiding.hide_secrets(given.get_item(0)?.extract()?))
    });
    let told = hide.and_then(|hide| {
        let tell = TELL.import(py, "sprongus._outcomes", "raised")?;
        tell.call1((&run.id, &run.kind, run.attempt, raised.value(py), hide))
    });
    if let Err(error) = told {
        // A log handler of the host's raised; the run's own failure matters more.
        error.write_unraisable(py, None);
    }
}
