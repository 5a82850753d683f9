//! `os.fork()` waits until no thread of the library's is inside SQLite.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sprongus::ForkGuard;

thread_local! {
    /// Between the hooks before and after: they run on the thread that forks.
    static GUARD: RefCell<Option<ForkGuard>> = const { RefCell::new(None) };
}

/// Has `os` call the hooks around each fork. Programs started by `subprocess` need none: they keep no memory.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let os = py.import("os")?;
    if !os.hasattr("register_at_fork")? {
        return Ok(());
    }
    let (before, after) = (wrap_pyfunction!(before_fork, module)?, wrap_pyfunction!(after_fork, module)?);
    let hooks = PyDict::new(py);
    hooks.set_item("before", before)?;
    hooks.set_item("after_in_parent", &after)?;
    hooks.set_item("after_in_child", &after)?;
    os.call_method("register_at_fork", (), Some(&hooks)).map(drop)
}

#[pyfunction]
fn before_fork(py: Python<'_>) {
    // A thread inside may want the GIL, to ask for signals or to log.
    let guard = py.detach(sprongus::before_fork);
    GUARD.replace(Some(guard));
}

#[pyfunction]
fn after_fork() {
    drop(GUARD.take());
}
