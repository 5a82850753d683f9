//! JSON to Python objects.

use jiter::{PythonParse, StringCacheMode};
use pyo3::prelude::*;
use serde_json::Value;
use sprongus::{Error, ErrorCode, Json};

use crate::error::raised;

/// A document as Python objects; each call makes new ones, so nobody changes a record through them.
pub(crate) fn document<'py>(py: Python<'py>, document: &Json) -> PyResult<Bound<'py, PyAny>> {
    text(py, document.as_str())
}

/// A value as Python objects.
pub(crate) fn value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    text(py, &value.to_string())
}

/// Whatever serializes, as Python objects.
pub(crate) fn serialized<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    text(py, &to_text(py, value)?)
}

/// Whatever serializes, as JSON text.
pub(crate) fn to_text(py: Python<'_>, value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| {
        raised(py, &Error::new(ErrorCode::Panic, "a record could not be written as JSON").with_source(error))
    })
}

/// JSON text as Python objects.
pub(crate) fn text<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let parse = PythonParse { cache_mode: StringCacheMode::Keys, ..PythonParse::default() };
    let parsed = parse.python_parse(py, text.as_bytes());
    parsed.map_err(|error| jiter::map_json_error(text.as_bytes(), &error))
}
