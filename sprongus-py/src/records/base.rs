//! What every record has.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use serde::de::DeserializeOwned;
use sprongus::{Error, ErrorCode};

use crate::error::raised;
use crate::json_out;

/// A record of the library, whichever it is.
pub(crate) trait Data: Send + Sync {
    /// The name of its class.
    fn class(&self) -> &'static str;
    /// Its attributes, in their order.
    fn fields(&self) -> &'static [&'static str];
    /// Its published JSON.
    fn json(&self) -> serde_json::Result<String>;
}

/// The base of all records: frozen; they compare, hash and pickle.
#[pyclass(module = "sprongus", subclass, frozen)]
pub(crate) struct Record {
    data: Arc<dyn Data>,
}

/// The base part of a record.
pub(crate) fn of(data: Arc<impl Data + 'static>) -> Record {
    Record { data }
}

/// What pickle keeps: the function that makes it anew, the class and the JSON it is made of.
type Pickled<'py> = (Bound<'py, PyAny>, (&'static str, Bound<'py, PyString>));

/// The longest attribute a `repr` shows whole, in characters.
const SHOWN: usize = 72;

impl Record {
    fn text(&self, py: Python<'_>) -> PyResult<String> {
        let failed = |error| Error::new(ErrorCode::Panic, "a record could not be written as JSON").with_source(error);
        self.data.json().map_err(|error: serde_json::Error| raised(py, &failed(error)))
    }

    /// Its attributes as Python has them: Rust writes `r#type`.
    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.data.fields().iter().map(|name| name.trim_start_matches("r#"))
    }

    /// The attributes that hold something, with their names.
    fn held<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let mut held = Vec::new();
        for name in slf.get().names() {
            let value = slf.getattr(name)?;
            if !value.is_none() {
                held.push((name, value));
            }
        }
        Ok(held)
    }
}

#[pymethods]
impl Record {
    /// The record as its published JSON Schema has it: camelCase names, times as text.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::text(py, &self.text(py)?)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let mut shown = Vec::new();
        for (name, value) in Self::held(slf)? {
            let text = match value.cast::<pyo3::types::PyDateTime>() {
                Ok(at) => at.str()?.to_string(),
                Err(_) => value.repr()?.to_string(),
            };
            shown.push(format!("{name}={}", shortened(&text)));
        }
        Ok(format!("{}({})", slf.get().data.class(), shown.join(", ")))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        static SHOW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        SHOW.import(slf.py(), "sprongus._tables", "record_html")?.call1((Self::held(slf)?,))
    }

    fn _row<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let row = pyo3::types::PyDict::new(slf.py());
        slf.get().names().try_for_each(|name| row.set_item(name, slf.getattr(name)?))?;
        Ok(row.into_any())
    }

    fn __eq__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented().into_bound(py)) };
        let (one, other) = (slf.get(), other.get());
        let same = one.data.class() == other.data.class() && one.text(py)? == other.text(py)?;
        Ok(pyo3::types::PyBool::new(py, same).to_owned().into_any())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<u64> {
        let mut hasher = DefaultHasher::new();
        self.text(py)?.hash(&mut hasher);
        Ok(hasher.finish())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        static AGAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let again = AGAIN.import(py, "sprongus._sprongus", "_record")?.clone();
        Ok((again, (self.data.class(), PyString::new(py, &self.text(py)?))))
    }
}

/// A record from its JSON.
pub(super) fn read<T: DeserializeOwned>(py: Python<'_>, json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| raised(py, &Error::invalid(format!("this is no such record: {error}"))))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
