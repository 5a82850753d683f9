//! The way into the library: without the GIL, open to Ctrl-C, with every error and panic as an exception.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pyo3::prelude::*;
use sprongus::{Error, ErrorCode, Interrupt, Result};

use crate::error::raised;

thread_local! {
    /// What a signal handler raised while this thread waited.
    static SIGNAL: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

thread_local! {
    /// How many calls of Python's this thread is in.
    static WITHIN: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is in a call of Python's; then code of the host's may be called on it.
pub(crate) fn is_within() -> bool {
    WITHIN.get() > 0
}

/// Runs a piece of the library with the GIL released.
///
/// Whatever may take one of its locks goes through here: a thread that waited for one with the GIL in hand would stop a log
/// line, or a host's connection, that needs the GIL to let go of it.
pub(crate) fn wait<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    if let Some(signal) = SIGNAL.take() {
        // It came while something was dropped, where nothing can be raised.
        return Err(signal);
    }
    WITHIN.set(WITHIN.get() + 1);
    let result = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    WITHIN.set(WITHIN.get() - 1);
    if let Some(signal) = SIGNAL.take() {
        // What came of the work (a transaction, it may be) ends like anything else of the library's: without the GIL.
        py.detach(|| drop(result));
        return Err(signal);
    }
    let result = result.unwrap_or_else(|panic| Err(panicked(&*panic)));
    result.map_err(|error| raised(py, &error))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Error::new(ErrorCode::Panic, format!("a bug in sprongus: {}", text.unwrap_or("it panicked")))
}

/// What the library asks while it waits: whether a signal's handler raised, as Ctrl-C's does.
pub(crate) fn interrupt() -> Interrupt {
    Arc::new(|| {
        // Python runs handlers on its main thread only; elsewhere this finds nothing.
        let signal = Python::try_attach(|py| py.check_signals().err()).flatten();
        let came = signal.is_some();
        if came {
            SIGNAL.set(signal);
        }
        came
    })
}

/// Something of the library's whose end may wait for a lock or close connections: dropped with the GIL released.
pub(crate) struct Detached<T: Send>(Option<T>);

impl<T: Send> Detached<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self(Some(inner))
    }
}

impl<T: Send> Deref for Detached<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(inner) => inner,
            None => unreachable!("only drop takes it out"),
        }
    }
}

impl<T: Send> Drop for Detached<T> {
    fn drop(&mut self) {
        let inner = self.0.take();
        // At the interpreter's end there is no GIL to release.
        let mut inner = Some(inner);
        Python::try_attach(|py| {
            let inner = inner.take();
            py.detach(|| drop(inner));
        });
    }
}
