//! Where code of the host's is called that the library asks for: on the caller's own thread where that is Python's, else on a
//! thread that Python made, for the reason told in `handler.rs`.

use std::sync::{Mutex, PoisonError, mpsc};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use sprongus::{Error, ErrorCode, Result};

use crate::call;
use crate::outcome::failed;

/// One thread for all calls that belong together: what the host's code opens in one of them it finds in the next.
pub(crate) enum Desk {
    /// The caller's own.
    Here,
    /// One that lasts as long as this.
    There(mpsc::Sender<Job>),
}

/// What is called there, and who waits for it.
pub(crate) struct Job {
    function: Py<PyAny>,
    arguments: Py<PyTuple>,
    answer: mpsc::Sender<PyResult<Py<PyAny>>>,
}

/// A function and its arguments.
type Call<'py> = (Bound<'py, PyAny>, Bound<'py, PyTuple>);

impl Desk {
    pub(crate) fn open() -> Result<Self> {
        static SERVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        if call::is_within() {
            return Ok(Self::Here);
        }
        let (desk, jobs) = mpsc::channel();
        let jobs = Jobs { waiting: Mutex::new(jobs), asking: Mutex::new(None) };
        attached(|py| SERVE.import(py, "sprongus._providers", "begin")?.call1((jobs,)).map(drop))?;
        Ok(Self::There(desk))
    }

    /// Calls a function of the host's; what it raises is the error.
    pub(crate) fn call<T>(
        &self,
        what: impl FnOnce(Python<'_>) -> PyResult<Call<'_>>,
        take: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>,
    ) -> Result<T> {
        let Self::There(desk) = self else {
            return attached(|py| {
                let (function, arguments) = what(py)?;
                take(&function.call1(arguments)?)
            });
        };
        let (answer, answered) = mpsc::channel();
        let job = attached(|py| {
            let (function, arguments) = what(py)?;
            Ok(Job { function: function.unbind(), arguments: arguments.unbind(), answer })
        })?;
        desk.send(job).map_err(|_| ended())?;
        let answer = answered.recv().map_err(|_| ended())?;
        attached(|py| take(answer?.bind(py)))
    }
}

fn attached<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
    Python::try_attach(|py| work(py).map_err(|raised| failed(py, raised))).unwrap_or_else(|| Err(ended()))
}

fn ended() -> Error {
    Error::new(ErrorCode::Unavailable, "the Python interpreter has ended")
}

/// The desk as its thread sees it.
#[pyclass(module = "sprongus", frozen)]
struct Jobs {
    waiting: Mutex<mpsc::Receiver<Job>>,
    /// Who waits for what the thread is at.
    asking: Mutex<Option<mpsc::Sender<PyResult<Py<PyAny>>>>>,
}

#[pymethods]
impl Jobs {
    /// The next function and its arguments; None when nobody will ask any more.
    fn take(&self, py: Python<'_>) -> Option<(Py<PyAny>, Py<PyTuple>)> {
        let job = py.detach(|| self.waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok())?;
        *self.asking.lock().unwrap_or_else(PoisonError::into_inner) = Some(job.answer);
        Some((job.function, job.arguments))
    }

    fn returned(&self, value: Py<PyAny>) {
        self.tell(Ok(value));
    }

    fn raised(&self, error: Bound<'_, PyAny>) {
        self.tell(Err(PyErr::from_value(error)));
    }
}

impl Jobs {
    fn tell(&self, answer: PyResult<Py<PyAny>>) {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(asking) = asking {
            // Whoever asked waits, unless the process ends.
            let _ = asking.send(answer);
        }
    }
}
