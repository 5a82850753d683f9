//! The library's log lines under Python's logger `sprongus`.

use log::LevelFilter;
use pyo3::prelude::*;
use pyo3_log::{Caching, Logger};

/// Hands the lines over from now on; twice is nothing.
///
/// Levels are asked of Python each time, so `logging` may be set up later. Only our own lines go there: a driver's debug
/// lines would each take the GIL.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    static DONE: std::sync::Once = std::sync::Once::new();
    if DONE.is_completed() {
        return Ok(());
    }
    let logger = Logger::new(py, Caching::Loggers)?;
    let logger = logger.filter(LevelFilter::Off).filter_target("sprongus".to_owned(), LevelFilter::Debug);
    DONE.call_once(|| {
        // Another extension of the process cannot have taken our copy of `log`, so this is the first.
        let _ = logger.install();
    });
    let silence = wrap_pyfunction!(silence, py)?;
    py.import("atexit")?.call_method1("register", (silence,))?;
    Ok(())
}

/// No line may ask for the GIL of an interpreter that ends.
#[pyfunction]
fn silence() {
    log::set_max_level(LevelFilter::Off);
}
