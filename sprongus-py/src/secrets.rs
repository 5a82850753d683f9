//! The host's resolver of secrets.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sprongus::secrets::Resolver;

use crate::desk::Desk;
use crate::error::keep_interrupt;

/// A function that gives the secret of a name, wherever the library asks for one.
pub(crate) fn resolver(function: &Bound<'_, PyAny>) -> PyResult<Resolver> {
    if !function.is_callable() {
        return Err(PyTypeError::new_err("secrets is a function that takes a name and returns its secret"));
    }
    let function = function.clone().unbind();
    Ok(Arc::new(move |name| {
        static RESOLVED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let secret = Desk::open()?.call(
            |py| {
                let resolved = RESOLVED.import(py, "sprongus._secrets", "resolved")?;
                Ok((resolved.clone(), (&function, name).into_pyobject(py)?))
            },
            |secret| secret.extract(),
        );
        secret.inspect_err(keep_interrupt)
    }))
}
