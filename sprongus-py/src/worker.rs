//! `Worker`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use sprongus::{Error, ErrorCode, Result};

use crate::args::Text;
use crate::call::{Detached, wait};
use crate::error::raised;
use crate::handler::{Function, PyHandler, is_within};
use crate::records::WorkerMetrics;
use crate::time::Seconds;

/// Between two looks for a signal while the worker runs.
const LOOK: Duration = Duration::from_millis(100);

/// Works runs: a handler per kind, several at a time, each on a thread of its own. Made by `store.worker()`.
///
/// Handlers take a Context, plain or `async def`. What they return is the run's output (JSON, text included), or `Ref(...)`.
/// One that raises fails its attempt: it is tried again while attempts are left, unless it raised `Fatal`. `Snooze` puts the
/// run off, and `Context.approval` leaves it until somebody has decided; both give the attempt back.
///
/// >>> worker = store.worker()
/// >>> @worker.handler("mail.send")
/// ... def send(context):
/// ...     return f"sent to {context.input['to']}"
/// >>> worker.run(until_idle=True)
#[pyclass(module = "sprongus", frozen, weakref)]
pub(crate) struct Worker {
    inner: Arc<Detached<sprongus::worker::Worker>>,
    /// What its handlers call, for the collector: a handler often knows its worker.
    functions: Arc<Mutex<Vec<Arc<Function>>>>,
    /// Distinct in the process.
    number: u64,
    /// After a fork its threads are the parent's.
    process: u32,
}

impl Worker {
    pub(crate) fn new(worker: sprongus::worker::Worker) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self {
            inner: Arc::new(Detached::new(worker)),
            functions: Arc::default(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            process: std::process::id(),
        }
    }

    fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// The worker itself, in the process that made it.
    fn here(&self, py: Python<'_>) -> PyResult<&Arc<Detached<sprongus::worker::Worker>>> {
        if self.is_forked() {
            let message =
                "this worker was made before fork(): it works in the parent; make another in the child process";
            return Err(raised(py, &Error::new(ErrorCode::Forked, message)));
        }
        Ok(&self.inner)
    }
}

#[pymethods]
impl Worker {
    /// Its name, as runs and events carry it.
    #[getter]
    fn worker_id(&self) -> &str {
        self.inner.worker_id()
    }

    /// A decorator: works runs of that kind by the function below it; "sync/*" is every kind that begins with "sync/".
    ///
    /// Raises `MisuseError` while the worker is at work.
    fn handler<'py>(&self, py: Python<'py>, kind: Text) -> PyResult<Bound<'py, PyCFunction>> {
        let (inner, number) = (self.here(py)?.clone(), self.number);
        let functions = self.functions.clone();
        let decorate = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<Py<PyAny>> {
            let Some(handler) = args.iter().next().filter(|handler| args.len() == 1 && handler.is_callable()) else {
                return Err(PyTypeError::new_err("a handler is a function that takes a Context"));
            };
            let function = Arc::new(Function::new(&handler));
            let ours = Arc::new(PyHandler { function: function.clone(), number });
            wait(args.py(), || inner.handle_with(&kind.0, ours))?;
            functions.lock().unwrap_or_else(PoisonError::into_inner).push(function);
            Ok(handler.unbind())
        };
        PyCFunction::new_closure(py, Some(c"handler"), Some(c"Registers a handler and gives it back."), decorate)
    }

    /// Works the syncs that were enqueued, `sync.aux/*`, with this store's profiles and the kinds registered on it.
    ///
    /// What a provider raises fails the attempt, which is tried again unless it was `Fatal` or an error that no attempt can
    /// mend; then nothing is done twice. Raises `MisuseError` while the worker is at work.
    ///
    /// >>> from pathlib import Path
    /// >>> written = Path("assets.csv").write_text("id,title\na,Coburg\n", encoding="utf-8")
    /// >>> run = store.aux("p15", "assets").sync("csv:assets.csv", enqueue=True)
    /// >>> worker = store.worker()
    /// >>> worker.serve_sync()
    /// >>> worker.run(until_idle=True, patience=0)
    /// >>> store.runs.get(run.id).state
    /// 'succeeded'
    fn serve_sync(&self, py: Python<'_>) -> PyResult<()> {
        let inner = self.here(py)?;
        wait(py, || inner.serve_sync())
    }

    /// Works until `stop` is called from another thread, or, with `until_idle`, until nothing of its kinds is running, due,
    /// or due within `patience` seconds.
    ///
    /// Ctrl-C lets the handlers end and then raises KeyboardInterrupt; a second one lets go of them at once.
    #[pyo3(
        signature = (*, until_idle = false, patience = None),
        text_signature = "($self, *, until_idle=False, patience=5.0)"
    )]
    fn run(slf: &Bound<'_, Self>, until_idle: bool, patience: Option<Seconds>) -> PyResult<()> {
        let py = slf.py();
        let patience = patience.map_or(Duration::from_secs(5), |patience| patience.0);
        let inner = slf.get().here(py)?.clone();
        let (ended, end) = channel();
        let work = move || {
            let worked = if until_idle { inner.run_until_idle(patience) } else { inner.run() };
            // Nobody listens any more after a second Ctrl-C.
            let _ = ended.send(worked);
        };
        at_exit(slf, "register")?;
        // On a thread of its own, so that this one can look for signals.
        wait(py, || spawn(work))?;
        let worked = slf.get().attend(py, &end);
        at_exit(slf, "unregister")?;
        worked
    }

    /// Works on threads of its own until `stop`; at the interpreter's end it is stopped.
    fn start(slf: &Bound<'_, Self>) -> PyResult<()> {
        let inner = slf.get().here(slf.py())?;
        wait(slf.py(), || inner.start())?;
        at_exit(slf, "register")
    }

    /// Claims no more and waits for the handlers to end, at most so many seconds (None: without end); whether all have.
    ///
    /// Those that have not are told by `Context.canceled`, and let go a second later: others take their runs, which are then
    /// executed twice. Ctrl-C ends the wait, not the stopping. A handler does not call it for its own worker (`MisuseError`):
    /// it would wait for itself.
    #[pyo3(signature = (timeout = Given::Default), text_signature = "($self, timeout=30.0)")]
    fn stop(slf: &Bound<'_, Self>, timeout: Given) -> PyResult<bool> {
        let timeout = match timeout {
            Given::Default => Some(Duration::from_secs(30)),
            Given::Endless => None,
            Given::Some(timeout) => Some(timeout),
        };
        let (py, worker) = (slf.py(), slf.get());
        let inner = worker.here(py)?;
        if is_within(worker.number) {
            let message = "a handler cannot wait for its own end: call stop() from another thread";
            return Err(raised(py, &Error::misuse(message)));
        }
        let (told, answer) = channel();
        let stopping = inner.clone();
        // On a thread of its own, as in run(). Nobody listens any more after Ctrl-C.
        let stop = move || {
            let _ = told.send(stopping.stop(timeout));
        };
        wait(py, || spawn(stop))?;
        let ended = loop {
            if let Some(ended) = look(py, &answer)? {
                break ended;
            }
            py.check_signals()?;
        };
        at_exit(slf, "unregister")?;
        Ok(ended)
    }

    /// What it has done since it was made, and what it is doing; no database is asked.
    ///
    /// >>> worker = store.worker()
    /// >>> @worker.handler("mail.send")
    /// ... def send(context):
    /// ...     return "sent"
    /// >>> worker.run(until_idle=True, patience=0)
    /// >>> worker.metrics().succeeded
    /// 1
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, WorkerMetrics>> {
        let inner = self.here(py)?;
        WorkerMetrics::make(py, wait(py, || Ok(inner.metrics()))?)
    }

    fn _end(slf: &Bound<'_, Self>) -> PyResult<()> {
        if slf.get().is_forked() { Ok(()) } else { Self::stop(slf, Given::Default).map(drop) }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Without waiting, as in Function::visit.
        self.functions.try_lock().map_or(Ok(()), |functions| functions.iter().try_for_each(|one| one.visit(&visit)))
    }

    fn __clear__(&self) {
        let functions = std::mem::take(&mut *self.functions.lock().unwrap_or_else(PoisonError::into_inner));
        functions.iter().for_each(|function| function.clear());
    }
}

impl Worker {
    /// Waits for the end of the work; a signal's exception drains it first, a second one lets go.
    fn attend(&self, py: Python<'_>, end: &Mutex<mpsc::Receiver<Result<()>>>) -> PyResult<()> {
        let mut signal: Option<PyErr> = None;
        loop {
            if let Some(worked) = look(py, end)? {
                return signal.map_or_else(|| wait(py, || worked), Err);
            }
            let Err(raised) = py.check_signals() else { continue };
            let again = signal.replace(raised).is_some();
            let inner = self.inner.clone();
            wait(py, || {
                if again {
                    inner.stop(Some(Duration::ZERO));
                    return Ok(());
                }
                spawn(move || {
                    inner.stop(None);
                })
            })?;
            if again {
                return Err(signal.unwrap_or_else(|| pyo3::exceptions::PyKeyboardInterrupt::new_err(())));
            }
        }
    }
}

/// A channel whose answer may be waited for without the GIL.
fn channel<T>() -> (mpsc::Sender<T>, Mutex<mpsc::Receiver<T>>) {
    let (told, answer) = mpsc::channel();
    (told, Mutex::new(answer))
}

/// Waits a little for an answer.
fn look<T: Send>(py: Python<'_>, answer: &Mutex<mpsc::Receiver<T>>) -> PyResult<Option<T>> {
    match py.detach(|| answer.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LOOK)) {
        Ok(answer) => Ok(Some(answer)),
        Err(mpsc::RecvTimeoutError::Timeout) => Ok(None),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(raised(py, &Error::new(ErrorCode::Panic, "the worker ended without an answer")))
        }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name("sprongus-run".to_owned()).spawn(work);
    spawned.map(drop).map_err(|error| Error::misuse(format!("the system has no thread for the worker: {error}")))
}

/// A handler's thread must not ask for the GIL of an interpreter that ends, so the worker is stopped before.
fn at_exit(worker: &Bound<'_, Worker>, what: &str) -> PyResult<()> {
    let end = worker.getattr("_end")?;
    worker.py().import("atexit")?.call_method1(what, (end,)).map(drop)
}

/// `stop`'s timeout: seconds, None for no end, or the default.
enum Given {
    Default,
    Endless,
    Some(Duration),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if ob.is_none() {
            return Ok(Self::Endless);
        }
        ob.extract::<Seconds>().map(|seconds| Self::Some(seconds.0))
    }
}
